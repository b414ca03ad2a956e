/* How nodes of a trie are written: shared by checking and making proofs. */
#pragma once

enum {
    TRIE_BRANCH_ITEMS = 17, /* one for each nibble, and the value */
    TRIE_ODD = 1,           /* flags before a packed path: its length is odd, */
    TRIE_LEAF = 2,          /* and it ends in a value */
};
