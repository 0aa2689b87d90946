"""Protection against abuse: IP blocks, rate limits and cache revisions. It knows IP addresses and times, no clients."""
