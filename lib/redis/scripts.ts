import { sha1 } from './sha1.js';

/** A Lua script and the name under which a server knows it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/*
 * What the scripts share. KEYS are always the value and the flight record, which live in one slot.
 *
 * A record is `generation holder deadline takeovers failed`. The lease (`holder` until `deadline`, by the server's clock)
 * decides who works; the generation decides whose write is legal, as in Nishtala et al.: Scaling Memcache at Facebook,
 * NSDI 2013. `-` stands for no holder; `failed` is the token of a holder that brought nothing, `-` for none.
 * A value is `1 generation.token storedAt payload`.
 *
 * `pcall` where a foreign type may stand under the name: what cannot be read counts as none. A publish comes last and
 * may fail, as under the default ACL of Redis 7: whoever waits looks again by the clock.
 */
const prelude = `
local function now()
  local time = redis.call('time')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function text(number)
  return string.format('%.0f', number)
end
local function stampOf(value)
  if type(value) ~= 'string' then return nil end
  return string.match(value, '^1 ([%w_.-]+) %d+ ')
end
local function readRecord()
  local record = redis.pcall('get', KEYS[2])
  if type(record) ~= 'string' then return nil end
  local generation, holder, deadline, takeovers, failed = string.match(record, '^(%S+) (%S+) (%d+) (%d+) (%S+)$')
  if not generation then return nil end
  return { generation = generation, holder = holder, deadline = tonumber(deadline), takeovers = tonumber(takeovers), failed = failed }
end
local function writeRecord(record, expiry)
  redis.call('set', KEYS[2], table.concat({ record.generation, record.holder, text(record.deadline), text(record.takeovers), record.failed }, ' '), 'px', expiry)
end
local function leaseAfter(takeovers, lease)
  return math.min(lease * 2 ^ math.min(takeovers, 20), 20000)
end
local function tell(channel, message)
  redis.pcall('publish', channel, message)
end
`;

/** How long a record outlives the last grant or renewal, in milliseconds: longer than any lease. */
export const RECORD_LIFETIME = 60_000;

/** How long a failed run is remembered for those who waited for it, in milliseconds. */
const FAILURE_LIFETIME = 1_000;

/** token, lease, seen, fresh generation → now, `hit` value | `grant` generation lease | `wait` holder remaining failed */
export const acquire = script(`
local token, lease, seen, fresh = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local moment = now()
local value = redis.pcall('get', KEYS[1])
local stamp = stampOf(value)
if stamp and stamp ~= seen then return { text(moment), 'hit', value } end
local record = readRecord()
if not record then
  record = { generation = fresh, holder = token, takeovers = 0, failed = '-' }
elseif record.holder ~= token and record.holder ~= '-' then
  if record.deadline > moment then
    return { text(moment), 'wait', record.holder, text(record.deadline - moment), record.failed }
  end
  record.takeovers = record.takeovers + 1
end
record.holder = token
lease = leaseAfter(record.takeovers, lease)
record.deadline = moment + lease
writeRecord(record, ${RECORD_LIFETIME})
return { text(moment), 'grant', record.generation, text(lease) }
`);

/** token, lease, `drop` or `keep`, fresh generation, channel, fences, announcement → now, `grant` generation lease */
export const begin = script(`
local token, lease, mode, fresh = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local moment = now()
local record = readRecord()
if not record or record.holder ~= token then
  record = { generation = fresh, holder = token, takeovers = 0, failed = '-' }
end
record.deadline = moment + lease
writeRecord(record, ${RECORD_LIFETIME})
if mode == 'drop' then redis.call('unlink', KEYS[1]) end
tell(ARGV[5], 'void ' .. token)
tell(ARGV[6], ARGV[7])
return { text(moment), 'grant', record.generation, text(lease) }
`);

/** generation, token, age, expiry or empty, payload, channel, writes, announcement → `stored` | `superseded` | `refused` */
export const commit = script(`
local generation, token = ARGV[1], ARGV[2]
local stamp = generation .. '.' .. token
local record = readRecord()
if record and record.generation == generation then
  local value = table.concat({ '1', stamp, text(now() - tonumber(ARGV[3])), ARGV[5] }, ' ')
  if ARGV[4] == '' then redis.call('set', KEYS[1], value) else redis.call('set', KEYS[1], value, 'px', ARGV[4]) end
  redis.call('del', KEYS[2])
  tell(ARGV[6], 'done ' .. token)
  tell(ARGV[7], ARGV[8])
  return 'stored'
end
local present = stampOf(redis.pcall('get', KEYS[1]))
if present == stamp then return 'stored' end
if present and string.sub(present, 1, #generation + 1) == generation .. '.' then return 'superseded' end
return 'refused'
`);

/** generation, token, lease → `held` | `taken` | `lost` */
export const renew = script(`
local generation, token, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local record = readRecord()
if record and record.generation == generation then
  if record.holder ~= token then return 'taken' end
  record.deadline = now() + lease
  writeRecord(record, ${RECORD_LIFETIME})
  return 'held'
end
local present = stampOf(redis.pcall('get', KEYS[1]))
if present and string.sub(present, 1, #generation + 1) == generation .. '.' then return 'taken' end
return 'lost'
`);

/** token, `again` or `alone`, channel → 1 where the token held the lease */
export const release = script(`
local token, why = ARGV[1], ARGV[2]
local record = readRecord()
if not record or record.holder ~= token then return 0 end
if why == 'alone' or record.takeovers > 0 then
  local expiry = ${RECORD_LIFETIME}
  if why == 'alone' then
    record.failed = token
    if record.takeovers == 0 then expiry = ${FAILURE_LIFETIME} end
  end
  record.holder = '-'
  record.deadline = 0
  writeRecord(record, expiry)
else
  redis.call('del', KEYS[2])
end
tell(ARGV[3], why .. ' ' .. token)
return 1
`);

/** channel, fences, announcement → 1 where there was a value */
export const invalidate = script(`
local removed = redis.call('unlink', KEYS[1])
redis.call('unlink', KEYS[2])
tell(ARGV[1], 'void -')
tell(ARGV[2], ARGV[3])
return removed
`);

function script(body: string): Script {
  const source = prelude + body;
  return { source, sha: sha1(source) };
}
