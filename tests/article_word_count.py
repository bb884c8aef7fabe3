"""Counts words as the article on multiprocessing does, in one process and on bytes.

usage: article_word_count.py FOLDER

Prints `word<TAB>count` lines in the order of the words. White space is space, tab, newline, form feed and carriage
return; letters, punctuation and lower case are ASCII's.
"""

import collections
import os
import string
import sys

STOP_WORDS = set(b"a an and are as be for if in is it of or py rst the to with".split())
WHITE_SPACE = b" \t\n\x0c\r"
BLANKS = bytes.maketrans(
    string.punctuation.encode() + WHITE_SPACE, b" " * (len(string.punctuation) + len(WHITE_SPACE))
)


def words(path):
    with open(path, "rb") as lines:
        for line in lines:
            if line.lstrip(WHITE_SPACE).startswith(b".."):
                continue
            for word in line.translate(BLANKS).split(b" "):
                word = word.lower()
                if word.isalpha() and word not in STOP_WORDS:
                    yield word


def main():
    counts = collections.Counter()
    for folder, _, names in os.walk(os.fsencode(sys.argv[1])):
        for name in names:
            counts.update(words(os.path.join(folder, name)))
    for word in sorted(counts):
        sys.stdout.buffer.write(word + b"\t%d\n" % counts[word])


if __name__ == "__main__":
    main()
