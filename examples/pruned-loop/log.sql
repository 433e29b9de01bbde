CREATE TABLE pages(page INTEGER PRIMARY KEY, head TEXT NOT NULL, text TEXT NOT NULL);
WITH RECURSIVE n(page) AS (SELECT 1 UNION ALL SELECT page + 1 FROM n WHERE page < 6)
INSERT INTO pages SELECT page, CASE page WHEN 4 THEN 'disk full on node 7' ELSE 'all well' END, printf('%.*c', 4000, '.') FROM n;
