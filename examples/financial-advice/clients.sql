CREATE TABLE clients(id INTEGER PRIMARY KEY, name TEXT NOT NULL, risk TEXT NOT NULL, horizon INTEGER NOT NULL);
CREATE TABLE positions(client INTEGER NOT NULL, asset TEXT NOT NULL, share REAL NOT NULL);
INSERT INTO clients VALUES (4, 'Edsger', 'low', 3);
INSERT INTO positions VALUES (4, 'one single stock', 0.9), (4, 'cash', 0.1);
