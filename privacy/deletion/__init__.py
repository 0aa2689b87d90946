"""Deletion that can be proven: from an owner's wish to a receipt that anybody can verify years later.

`requesting`: what owners ask for, confirm and cancel; `execution` carries it out and goes on after a crash; `erasing`:
what goes, scope by scope; `ledger`: the file that outlives the databases, by which `replay` deletes a restored backup
again, and `shipping` carries it off; `receipts`: what is said afterwards, signed; `compaction`: the databases' files.

The order of an execution makes it safe without a transaction over two databases. Each step may be done again:

1. The client's state is *gone*: nobody comes in, and the writer keeps nothing of it any more.
2. The ledger has the entry, on the disk. Before anything is destroyed: a backup may be restored at any moment.
3. The data key is destroyed. From here on nothing sealed can be read, wherever a copy of it may be.
4. The rows go, room by room, at most 1,000 in a transaction that also counts them.
5. One transaction deletes owners, client and request, and makes the receipt.
"""
