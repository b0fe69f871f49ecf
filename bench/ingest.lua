-- wrk: each request is a progress update of one of `jobs` jobs, in turn.
local jobs, key, n = 20, nil, 0
function init(args)
  key = args[1]
  jobs = tonumber(args[2])
end
function request()
  n = n + 1
  local body = string.format('{"progress":%d,"message":"row %d of many"}', n % 100, n)
  return wrk.format("POST", "/api/v1/jobs/" .. (n % jobs + 1) .. "/progress",
    { ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json" }, body)
end
