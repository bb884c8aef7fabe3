"""Word count with `multiprocessing.Pool` in the manner of `SimpleMapReduce`: pool_word_count.py FOLDER OUT WORKERS

Doug Hellmann's article "Implementing MapReduce with multiprocessing" (2009) describes the class; this is a version of
our own for Python 3. Every file in FOLDER is one input, words are what white space separates, in lower case.
"""

import collections
import itertools
import multiprocessing
import os
import sys


class SimpleMapReduce:
    def __init__(self, mapper, reducer, workers):
        self.mapper = mapper
        self.reducer = reducer
        self.pool = multiprocessing.Pool(workers)

    def __call__(self, inputs):
        emitted = self.pool.map(self.mapper, inputs, chunksize=1)
        groups = collections.defaultdict(list)
        for key, value in itertools.chain.from_iterable(emitted):
            groups[key].append(value)
        return self.pool.map(self.reducer, groups.items())


def emit_words(path):
    with open(path, "rb") as lines:
        return [(word.lower(), 1) for line in lines for word in line.split()]


def add_up(group):
    word, ones = group
    return word, sum(ones)


def main():
    folder, out, workers = sys.argv[1:4]
    files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    counts = SimpleMapReduce(emit_words, add_up, int(workers))(files)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "part-0"), "wb") as part:
        part.writelines(b"%s\t%d\n" % count for count in counts)


if __name__ == "__main__":
    main()
