"""The workloads in DuckDB: duckdb_jobs.py JOB INPUT OUT WORKERS [LIST]

OUT becomes a folder with one file, `part-0`. For the inverted index LIST names the files, one a line, and a file's
place in it (from 0) is its number.
"""

import os
import sys

import duckdb

# A byte that occurs in no input: a line read with it as the delimiter is one column.
NEVER = "\x01"
TABBED = "(FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '')"
WHOLE = TABBED.replace("\t", NEVER)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def table(path, delimiter, columns):
    return (
        f"read_csv({quoted(path)}, delim = '{delimiter}', columns = {columns}, header = false, quote = '', "
        "escape = '', auto_detect = false)"
    )


def word_count(path):
    # A folder stands for the files in it.
    path = os.path.join(path, "*") if os.path.isdir(path) else path
    lines = table(path, NEVER, {"line": "VARCHAR"})
    words = f"SELECT unnest(string_split(lower(line), ' ')) AS word FROM {lines}"
    return f"SELECT word, count(*) FROM ({words}) WHERE word <> '' GROUP BY word", TABBED


def sum_by_key(path):
    rows = table(path, " ", {"key": "VARCHAR", "value": "BIGINT"})
    return f"SELECT key, sum(value)::BIGINT FROM {rows} GROUP BY key", TABBED


def inverted_index(connection, listing):
    with open(listing) as names:
        files = [(i, name.rstrip("\n")) for i, name in enumerate(names)]
    connection.execute("CREATE TABLE files (number INTEGER, path VARCHAR)")
    with open(os.path.join(os.environ["TMPDIR"], "files.csv"), "w") as rows:
        rows.writelines(f"{number}{NEVER}{path}\n" for number, path in files)
    rows = table(rows.name, NEVER, {"number": "INTEGER", "path": "VARCHAR"})
    connection.execute(f"INSERT INTO files SELECT * FROM {rows}")
    paths = "[" + ",".join(quoted(path) for _, path in files) + "]"
    texts = f"SELECT number, content FROM read_text({paths}) AS texts JOIN files ON files.path = texts.filename"
    split = r"string_split_regex(lower(content), '[ \t\n\f\r]+')"
    words = f"SELECT number, unnest(list_distinct({split})) AS word FROM ({texts})"
    numbers = "string_agg(number::VARCHAR, ',' ORDER BY number)"
    return f"SELECT word, {numbers} FROM ({words}) WHERE word <> '' GROUP BY word", TABBED


def sort_records(path):
    return f"SELECT line FROM {table(path, NEVER, {'line': 'VARCHAR'})} ORDER BY line", WHOLE


def main():
    job, path, out, workers = sys.argv[1:5]
    os.makedirs(out, exist_ok=True)
    connection = duckdb.connect(config={"threads": int(workers)})
    connection.execute(f"SET temp_directory = {quoted(os.path.join(os.environ['TMPDIR'], 'duckdb'))}")
    # Only sorting promises an order; without the promise DuckDB is faster.
    connection.execute(f"SET preserve_insertion_order = {'true' if job == 'w4' else 'false'}")
    if job == "w3":
        query, options = inverted_index(connection, sys.argv[5])
    else:
        query, options = {"w1": word_count, "w2": sum_by_key, "w4": sort_records}[job](path)
    connection.execute(f"COPY ({query}) TO {quoted(os.path.join(out, 'part-0'))} {options}")


if __name__ == "__main__":
    main()
