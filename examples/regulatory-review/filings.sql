CREATE TABLE sections(filing TEXT NOT NULL, section INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE findings(filing TEXT NOT NULL, section INTEGER NOT NULL, rule TEXT NOT NULL);
CREATE TABLE opinions(filing TEXT NOT NULL, opinion TEXT NOT NULL, reasons TEXT NOT NULL);
INSERT INTO sections VALUES
  ('F-12', 1, 'Scope', 'The product is offered to retail clients.'),
  ('F-12', 2, 'Costs', 'Costs are disclosed after the contract is signed.'),
  ('F-12', 3, 'Risks', 'The risks are explained in plain words before the contract.'),
  ('F-12', 4, 'Complaints', 'Complaints are answered within ninety days.');
