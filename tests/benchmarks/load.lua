-- Sends the prepared requests in turn, and tells the result as one line of JSON.
local requests, at = {}, 0

function init(arguments)
    local file = assert(io.open(arguments[1], "rb"))
    -- A zero byte ends each.
    for request in file:read("*a"):gmatch("(%Z+)") do
        requests[#requests + 1] = request
    end
    file:close()
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f}\n',
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
    ))
end
