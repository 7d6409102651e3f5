import { wakeUpWords } from './messages.js';
import { sha1 } from './sha1.js';

/** A Lua script and the digest by which a server knows it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** The longest lease, in milliseconds. */
const LONGEST_LEASE = 20_000;

/** How long a record exists after the last grant or renewal, in milliseconds: longer than any lease. */
export const RECORD_LIFETIME = 60_000;

/** How long a failed run is remembered for the processes that wait for it, in milliseconds. */
const FAILURE_LIFETIME = 1_000;

/*
 * What the scripts share. KEYS are always the value and the flight record, which are in one cluster slot.
 *
 * A record is `generation holder deadline takeovers failed`. The lease (`holder` until `deadline`, by the server's clock)
 * tells who works; the generation tells whose result may be written (see lease.ts). A holder of `-` is none. `failed` is
 * the token of a holder whose run brought nothing, or `-`. A value is `1 generation.token storedAt payload`, or where it
 * has tags or was expired `2 generation.token storedAt begun expiredAt tags payload` (see codec.ts).
 *
 * A name may hold a foreign type, hence `pcall`: what cannot be read counts as absent. A publish is the last step and
 * may fail, as under the default ACL of Redis 7: waiting processes also look by the clock.
 *
 * `writeRecord` returns an error where the server refuses the write, as when it is out of memory.
 */
const prelude = `
local function micros()
  local time = redis.call('time')
  return time[1] * 1000000 + time[2]
end
local function now()
  return math.floor(micros() / 1000)
end
local function text(number)
  return string.format('%.0f', number)
end
local function stampOf(value)
  if type(value) ~= 'string' then return nil end
  return string.match(value, '^[12] ([%w_.-]+) %d+ ')
end
local function readRecord()
  local record = redis.pcall('get', KEYS[2])
  if type(record) ~= 'string' then return nil end
  local generation, holder, deadline, takeovers, failed = string.match(record, '^(%S+) (%S+) (%d+) (%d+) (%S+)$')
  if not generation then return nil end
  return { generation = generation, holder = holder, deadline = tonumber(deadline), takeovers = tonumber(takeovers), failed = failed }
end
local function writeRecord(record, expiry)
  local reply = redis.pcall('set', KEYS[2], table.concat({ record.generation, record.holder, text(record.deadline), text(record.takeovers), record.failed }, ' '), 'px', expiry)
  return reply.err and reply
end
local function leaseAfter(takeovers, lease)
  return math.min(lease * 2 ^ math.min(takeovers, 20), ${LONGEST_LEASE})
end
local function tell(channel, message)
  redis.pcall('publish', channel, message)
end
`;

/** token, lease, seen, fresh generation → now, `hit` value | `grant` generation lease begun | `wait` holder remaining failed */
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
  -- A deadline further ahead than any lease comes from a clock that has been set back since.
  if record.deadline > moment and record.deadline - moment <= ${LONGEST_LEASE} then
    return { text(moment), 'wait', record.holder, text(record.deadline - moment), record.failed }
  end
  record.takeovers = record.takeovers + 1
end
record.holder = token
lease = leaseAfter(record.takeovers, lease)
record.deadline = moment + lease
return writeRecord(record, ${RECORD_LIFETIME}) or { text(moment), 'grant', record.generation, text(lease), text(micros()) }
`);

/** token, lease, `drop` or `keep`, fresh generation, channel, fences, announcement → now, `grant` generation lease begun */
export const begin = script(`
local token, lease, mode, fresh = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local moment = now()
local record = readRecord()
if not record or record.holder ~= token then
  record = { generation = fresh, holder = token, takeovers = 0, failed = '-' }
end
record.deadline = moment + lease
if mode == 'drop' then redis.call('unlink', KEYS[1]) end
local refusal = writeRecord(record, ${RECORD_LIFETIME})
-- Older runs are refused all the same.
if refusal then redis.call('unlink', KEYS[2]) end
tell(ARGV[5], '${wakeUpWords.void} ' .. token)
tell(ARGV[6], ARGV[7])
return refusal or { text(moment), 'grant', record.generation, text(lease), text(micros()) }
`);

/**
 * generation, token, age, expiry or empty, payload, channel, writes, announcement, `begun tags` or empty → `stored` |
 * `superseded` | `refused`
 */
export const commit = script(`
local generation, token = ARGV[1], ARGV[2]
local stamp = generation .. '.' .. token
local record = readRecord()
if record and record.generation == generation then
  local head = stamp .. ' ' .. text(now() - tonumber(ARGV[3])) .. ' '
  local begun, tags = string.match(ARGV[9], '^(%d+) (%S+)$')
  local value = (begun and '2 ' .. head .. begun .. ' - ' .. tags or '1 ' .. head) .. (begun and ' ' or '') .. ARGV[5]
  local reply
  if ARGV[4] == '' then reply = redis.pcall('set', KEYS[1], value) else reply = redis.pcall('set', KEYS[1], value, 'px', ARGV[4]) end
  -- The value that this one was to replace must not answer any more.
  if reply.err then redis.call('unlink', KEYS[1]) end
  redis.call('del', KEYS[2])
  tell(ARGV[6], (reply.err and '${wakeUpWords.void} ' or '${wakeUpWords.done} ') .. token)
  tell(ARGV[7], ARGV[8])
  return reply.err and reply or 'stored'
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
  return writeRecord(record, ${RECORD_LIFETIME}) or 'held'
end
local present = stampOf(redis.pcall('get', KEYS[1]))
if present and string.sub(present, 1, #generation + 1) == generation .. '.' then return 'taken' end
return 'lost'
`);

/** token, `again` or `alone`, channel → 1 if the token held the lease */
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
  if writeRecord(record, expiry) then redis.call('del', KEYS[2]) end
else
  redis.call('del', KEYS[2])
end
tell(ARGV[3], why .. ' ' .. token)
return 1
`);

/** channel, fences, announcement → 1 if there was a value */
export const invalidate = script(`
local removed = redis.call('unlink', KEYS[1])
redis.call('unlink', KEYS[2])
tell(ARGV[1], '${wakeUpWords.void} -')
tell(ARGV[2], ARGV[3])
return removed
`);

/** window or empty, channel, fences, announcement → 1 if there was a value: it stays, and its `ttl` has ended */
export const expire = script(`
local value = redis.pcall('get', KEYS[1])
local stamp = stampOf(value)
local found = stamp and 1 or 0
if not stamp then
  redis.call('unlink', KEYS[1])
else
  local head, payload = string.match(value, '^1 (%S+ %d+) (.*)$')
  if head then
    value = '2 ' .. head .. ' 0 ' .. text(now()) .. ' - ' .. payload
  else
    local before, after = string.match(value, '^(2 %S+ %d+ %d+) %- (.*)$')
    if before then value = before .. ' ' .. text(now()) .. ' ' .. after end
  end
  local left, window = redis.call('pttl', KEYS[1]), tonumber(ARGV[1])
  if left < 0 or (window and window < left) then left = window end
  local reply
  if left then reply = redis.pcall('set', KEYS[1], value, 'px', text(left)) else reply = redis.pcall('set', KEYS[1], value) end
  if reply.err then redis.call('unlink', KEYS[1]) end
end
redis.call('unlink', KEYS[2])
tell(ARGV[2], '${wakeUpWords.void} -')
tell(ARGV[3], ARGV[4])
return found
`);

/** How many fields the hash of marks may have. A tag has one or two. */
const MOST_MARKS = 10_000;

/*
 * The marks of all tags of a prefix are one hash: `h#tag` and `s#tag` are when a tag was last invalidated, `s` softly, in
 * microseconds, because a run and an invalidation may well fall into one millisecond. After several soft ones `s#tag` is the
 * last and the one before it. `version` counts invalidations. `origin` is the time before which nothing is known: what began
 * before it is void. The hash is made anew with `origin` now where it is missing, so that its loss voids entries and brings
 * none back.
 */
const marksPrelude = `
local function ensureOrigin(moment)
  local origin = redis.call('hget', KEYS[1], 'origin')
  if not origin then
    origin = text(moment)
    redis.call('hset', KEYS[1], 'origin', origin, 'version', '0')
  end
  return origin
end
`;

/** tags → origin, version, then for each tag its two fields, or 0 */
export const readMarks = script(`${marksPrelude}
local reply = { ensureOrigin(micros()), redis.call('hget', KEYS[1], 'version') }
for index = 1, #ARGV do
  local marks = redis.call('hmget', KEYS[1], 'h' .. ARGV[index], 's' .. ARGV[index])
  table.insert(reply, marks[1] or '0')
  table.insert(reply, marks[2] or '0')
end
return reply
`);

/** `hard` or `soft`, the least time of the marks, channel, sender, tags → the time of the marks */
export const writeMarks = script(`${marksPrelude}
local kind = ARGV[1] == 'soft' and 's' or 'h'
local moment = math.max(micros(), tonumber(ARGV[2]))
ensureOrigin(moment)
redis.call('hincrby', KEYS[1], 'version', 1)
for index = 5, #ARGV do
  local field, mark = kind .. ARGV[index], text(moment)
  local last = string.match(redis.call('hget', KEYS[1], field) or '', '^%d+')
  -- The server's clock may have been set back.
  if not last or moment > tonumber(last) then
    redis.call('hset', KEYS[1], field, last and kind == 's' and mark .. ' ' .. last or mark)
  end
end
if redis.call('hlen', KEYS[1]) > ${MOST_MARKS} then
  local fields, marks = redis.call('hgetall', KEYS[1]), {}
  for index = 1, #fields, 2 do
    if string.find(fields[index], '^[hs]#') then table.insert(marks, { fields[index], tonumber(string.match(fields[index + 1], '^%d+')) }) end
  end
  table.sort(marks, function(one, other) return one[2] < other[2] end)
  local dropped = math.floor(#marks / 10)
  for index = 1, dropped do redis.call('hdel', KEYS[1], marks[index][1]) end
  redis.call('hset', KEYS[1], 'origin', text(math.max(marks[dropped][2], tonumber(redis.call('hget', KEYS[1], 'origin')))))
end
tell(ARGV[3], table.concat({ 'tags', ARGV[4], ARGV[1], text(moment), table.concat(ARGV, ',', 5) }, ' '))
return text(moment)
`);

function script(body: string): Script {
  const source = prelude + body;
  return { source, sha: sha1(source) };
}
