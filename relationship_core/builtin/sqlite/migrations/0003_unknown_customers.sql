-- How many customers the interactions of a file named whom nobody knew; not counted before, and null then.

ALTER TABLE imports ADD COLUMN unknown_customers INTEGER;
