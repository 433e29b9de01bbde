CREATE TABLE terms(product TEXT NOT NULL, clause TEXT NOT NULL, text TEXT NOT NULL);
INSERT INTO terms VALUES
  ('home', '4.2', 'Water damage by a burst pipe is covered.'),
  ('home', '4.3', 'Water damage by a flood is not covered.'),
  ('car', '2.1', 'Theft is covered.');
