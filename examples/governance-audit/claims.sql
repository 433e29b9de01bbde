CREATE TABLE claims(number INTEGER PRIMARY KEY, customer INTEGER NOT NULL, amount REAL NOT NULL, text TEXT NOT NULL, priority TEXT);
INSERT INTO claims VALUES (31, 7, 18000, 'The roof came down in the storm.', NULL), (32, 7, 90, 'A window is broken.', 'low');
