CREATE TABLE bills(id INTEGER PRIMARY KEY, payee TEXT NOT NULL, amount REAL NOT NULL, paid_on TEXT);
CREATE TABLE payments(bill INTEGER NOT NULL, amount REAL NOT NULL);
INSERT INTO bills VALUES (1, 'Stationery Ltd', 80, NULL), (2, 'Roof and Sons', 4800, NULL), (3, 'Yachts Inc', 90000, NULL);
