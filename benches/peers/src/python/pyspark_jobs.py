"""The workloads in PySpark, with its DataFrames: pyspark_jobs.py JOB INPUT OUT WORKERS [LIST]

OUT becomes a folder of part files. For the inverted index LIST names the files, one a line, and a file's place in it
(from 0) is its number.
"""

import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def session(workers):
    with open("/proc/meminfo") as rows:
        kibibytes = next(int(row.split()[1]) for row in rows if row.startswith("MemTotal:"))
    settings = {
        # Everything runs in the driver's process: it may have half of the machine.
        "spark.driver.memory": f"{kibibytes // 2048}m",
        "spark.sql.shuffle.partitions": str(4 * int(workers)),
        "spark.local.dir": os.path.join(os.environ["TMPDIR"], "spark"),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master(f"local[{workers}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def tabbed(key, value):
    return F.concat_ws("\t", key, F.col(value).cast("string")).alias("line")


def word_count(spark, path):
    words = spark.read.text(path).select(F.explode(F.split(F.lower("value"), " ")).alias("word"))
    return words.where("word <> ''").groupBy("word").count().select(tabbed("word", "count"))


def sum_by_key(spark, path):
    rows = spark.read.csv(path, sep=" ", schema="key string, value bigint", quote="", escape="")
    return rows.groupBy("key").agg(F.sum("value").alias("total")).select(tabbed("key", "total"))


def inverted_index(spark, path, listing):
    with open(listing) as names:
        rows = [(i, "file://" + name.rstrip("\n")) for i, name in enumerate(names)]
    files = spark.createDataFrame(rows, "number int, path string")
    texts = spark.read.text(path, wholetext=True, recursiveFileLookup=True)
    # Spark writes a path as file:///…; slashes after the scheme may be one or three.
    name = F.regexp_replace(F.input_file_name(), "^file:/+", "file:///")
    numbered = texts.withColumn("path", name).join(F.broadcast(files), "path")
    split = F.array_distinct(F.split(F.lower("value"), "[ \t\n\f\r]+"))
    words = numbered.select("number", F.explode(split).alias("word")).where("word <> ''")
    numbers = F.concat_ws(",", F.array_sort(F.collect_list("number")).cast("array<string>"))
    return words.groupBy("word").agg(numbers.alias("numbers")).select(tabbed("word", "numbers"))


def main():
    job, path, out, workers = sys.argv[1:5]
    spark = session(workers)
    if job == "w3":
        rows = inverted_index(spark, path, sys.argv[5])
    elif job == "w4":
        rows = spark.read.text(path).orderBy("value")
    else:
        rows = {"w1": word_count, "w2": sum_by_key}[job](spark, path)
    rows.write.text(out)
    spark.stop()


if __name__ == "__main__":
    main()
