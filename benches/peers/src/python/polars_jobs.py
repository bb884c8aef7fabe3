"""The workloads in polars: polars_jobs.py JOB INPUT OUT WORKERS [LIST]

OUT becomes a folder with one file, `part-0`. For the inverted index LIST names the files, one a line, and a file's
place in it (from 0) is its number.
"""

import os
import sys

# The number of threads is read when polars is imported.
os.environ["POLARS_MAX_THREADS"] = sys.argv[4]

import polars as pl

# A byte that occurs in no input: a line read with it as the separator is one column.
NEVER = "\x01"


def lines(path):
    return pl.scan_csv(path, has_header=False, separator=NEVER, quote_char=None, schema={"line": pl.String})


def word_count(path):
    # A folder stands for the files in it.
    path = os.path.join(path, "*") if os.path.isdir(path) else path
    words = lines(path).select(word=pl.col("line").str.to_lowercase().str.split(" ")).explode("word")
    return words.filter(pl.col("word") != "").group_by("word").len()


def sum_by_key(path):
    schema = {"key": pl.String, "value": pl.Int64}
    rows = pl.scan_csv(path, has_header=False, separator=" ", quote_char=None, schema=schema)
    return rows.group_by("key").agg(pl.col("value").sum())


def inverted_index(listing):
    with open(listing) as names:
        files = [name.rstrip("\n") for name in names]
    texts = []
    for name in files:
        with open(name, encoding="utf-8") as file:
            texts.append(file.read())
    frame = pl.LazyFrame({"number": range(len(texts)), "text": texts})
    words = frame.select("number", word=pl.col("text").str.to_lowercase().str.extract_all(r"[^ \t\n\f\r]+").list.unique())
    numbers = pl.col("number").sort().cast(pl.String).str.join(",")
    return words.explode("word").drop_nulls("word").group_by("word").agg(numbers)


def main():
    job, path, out, _ = sys.argv[1:5]
    os.makedirs(out, exist_ok=True)
    if job == "w3":
        query = inverted_index(sys.argv[5])
    else:
        query = {"w1": word_count, "w2": sum_by_key, "w4": lambda path: lines(path).sort("line")}[job](path)
    separator = NEVER if job == "w4" else "\t"
    target = os.path.join(out, "part-0")
    query.sink_csv(target, include_header=False, separator=separator, quote_style="never", engine="streaming")


if __name__ == "__main__":
    main()
