CREATE TABLE costs(month TEXT NOT NULL, service TEXT NOT NULL, amount REAL NOT NULL);
CREATE TABLE budgets(month TEXT NOT NULL, amount REAL NOT NULL);
INSERT INTO costs VALUES ('2026-11', 'compute', 6100), ('2026-11', 'storage', 1900);
INSERT INTO budgets VALUES ('2026-11', 10000);
