-- Asks for the addresses in a file one after the other, each time from another client, and prints
-- the middle and the slow answers.
local addresses = {}
local position

function init(arguments)
  for address in io.lines(arguments[1]) do
    addresses[#addresses + 1] = address
  end
  math.randomseed(os.time())
  position = math.random(#addresses)
end

function request()
  position = position % #addresses + 1
  local client = string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(0, 255))
  -- Beside the headers of the command line.
  wrk.headers["X-Forwarded-For"] = client
  return wrk.format("GET", addresses[position])
end

function done(summary, latency)
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.3f, "p50": %.2f, "p99": %.2f, "failed": %d, "refused": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status))
end
