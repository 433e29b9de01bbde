CREATE TABLE transactions(id INTEGER PRIMARY KEY, account TEXT NOT NULL, amount REAL NOT NULL, country TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE holds(id INTEGER NOT NULL, score REAL NOT NULL);
INSERT INTO transactions VALUES (71, 'A-1', 25, 'DE', 'open'), (72, 'A-2', 9100, 'XX', 'open'), (73, 'A-1', 40, 'DE', 'open');
