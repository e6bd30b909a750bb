.load ./libpyfuncs
.headers on
SELECT slugify('Crème brûlée, s''il vous plaît!') AS slug;
CREATE TABLE trips (city TEXT, minutes INTEGER);
INSERT INTO trips VALUES ('Bern', 40), ('Bern', 10), ('Bern', 25), ('Zürich', 7), ('Zürich', 8), ('Genève', NULL);
SELECT slugify(city) AS city, median(minutes) AS minutes FROM trips GROUP BY city ORDER BY city;
SELECT median(minutes) IS NULL AS empty FROM trips WHERE city = 'Basel';
