CREATE TABLE customers(name TEXT PRIMARY KEY, tariff TEXT NOT NULL, used INTEGER NOT NULL);
CREATE TABLE letters(name TEXT NOT NULL, text TEXT NOT NULL);
INSERT INTO customers VALUES ('Ada', 'old', 900), ('Ben', 'old', 20);
