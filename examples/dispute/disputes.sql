CREATE TABLE disputes (number INTEGER PRIMARY KEY, customer INTEGER, merchant TEXT, amount REAL, text TEXT, outcome TEXT, reason TEXT);
CREATE TABLE credits (number INTEGER, amount REAL);
INSERT INTO disputes VALUES
  (1, 7, 'Cloud Nine', 20, 'Charged twice.', 'accept', 'a double'),
  (2, 9, 'Play Store', 90, 'Not me.', 'reject', 'used'),
  (3, 9, 'Film Club', 15, 'Not me.', 'reject', 'used'),
  (901, 7, 'Cloud Nine', 49, 'I was charged twice for the same month.', NULL, NULL),
  (902, 9, 'Play Store', 120, 'I never bought this.', NULL, NULL),
  (903, 8, 'Hotel Lux', 640, 'The room was not as described; I left after one night.', NULL, NULL);
