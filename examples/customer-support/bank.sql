CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, card TEXT NOT NULL);
CREATE TABLE payments(customer INTEGER NOT NULL, amount REAL NOT NULL);
INSERT INTO customers VALUES (17, 'Ada', 'blocked');
INSERT INTO payments VALUES (17, 12), (17, 80);
