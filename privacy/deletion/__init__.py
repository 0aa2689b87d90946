"""Provable deletion: from an owner's request to a signed receipt that anybody can verify years later.

`requesting`: requests, confirmation, cancellation. `execution` carries a deletion out, and resumes it after a crash.
`erasing`: which rows are deleted, by scope. `ledger`: a file outside the databases, from which `replay` repeats
deletions after a backup was restored; `shipping` copies it to another machine. `receipts`: the signed result.
`compaction`: the database files.

The order of an execution makes it safe without a transaction over two databases. Every step can be repeated:

1. The client's state is *gone*: nobody can sign in, and the writer stores nothing about it any more.
2. The entry is in the ledger, on disk. Before anything is destroyed: a backup may be restored at any moment.
3. The data key is destroyed. From here on nothing sealed can be read, wherever a copy of it may be.
4. The rows are deleted, source by source, at most 1,000 in a transaction that also counts them.
5. One transaction deletes owners, client and request, and creates the receipt.
"""
