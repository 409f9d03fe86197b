"""Hashes by the reference implementation: `pip install mmh3; python murmur3.py > murmur3.json`."""

import json
import random
import sys

import mmh3

random.seed(1)
alphabet = "abcXYZ019 _-/\u001f\u001eäß€中𝄞\U0001f3ac"
texts = ["", "a", "ab", "abc", "abcd", "abcde", "The quick brown fox jumps over the lazy dog", "\u0000", "\u001f", "é", "𝄞"]
texts += ["".join(random.choice(alphabet) for _ in range(n)) for n in range(1, 60)]
cases = [[text, seed, mmh3.hash(text, seed, signed=False)] for text in texts for seed in (0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF)]
json.dump(cases, sys.stdout, ensure_ascii=True, separators=(",", ":"))
print()
