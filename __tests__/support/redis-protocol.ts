/** The protocol of the scripts, in short. Names are `t1`, `g1` …; `-` is none. Time is only whether a lease has passed. */
export interface State {
  readonly value: { readonly generation: string; readonly token: string } | null;
  readonly record: {
    readonly generation: string;
    readonly holder: string;
    readonly isPast: boolean;
    readonly takeovers: number;
    readonly failed: string;
  } | null;
  readonly clients: readonly Flight[];
}

/** What a client holds: its last token, the generation that it was granted, and whether an invalidation came since. */
export interface Flight {
  readonly token: string;
  readonly generation: string;
  readonly isVoid: boolean;
}

export const operations = [
  ...['acquire', 'acquire again', 'acquire seeing', 'begin keep', 'begin drop', 'begin again'],
  ...['commit', 'renew', 'release again', 'release alone', 'invalidate', 'expire', 'pass'],
] as const;
export type Operation = (typeof operations)[number];

export interface Step {
  readonly state: State;
  readonly reply: readonly string[];
}

export const start: State = {
  value: null,
  record: null,
  clients: [0, 1].map(() => ({ token: '-', generation: '-', isVoid: false })),
};

/** `undefined` where the operation makes no sense. `fresh`: an unused number. */
export function apply(state: State, operation: Operation, who: number, fresh: number): Step | undefined {
  const { value, record, clients } = state;
  const own = clients[who]!;
  const isNew = operation !== 'acquire again' && operation !== 'begin again';
  const token = isNew && /^(acquire|begin)/.test(operation) ? `t${fresh}` : own.token;
  if (token === '-' && !['invalidate', 'expire', 'pass'].includes(operation)) return undefined;
  const held = (generation: string, isVoid = false): State['clients'] =>
    clients.map((each, index) => (index === who ? { token, generation, isVoid } : each));
  const voided = (all: State['clients'], but = -1): State['clients'] =>
    all.map((each, index) => (index === but ? each : { ...each, isVoid: each.generation !== '-' }));

  switch (operation) {
    case 'acquire':
    case 'acquire again':
    case 'acquire seeing': {
      if (value !== null && operation !== 'acquire seeing')
        return { state: { ...state, clients: held('-') }, reply: ['hit', `${value.generation}.${value.token}`] };
      if (record !== null && record.holder !== token && record.holder !== '-' && !record.isPast)
        return { state: { ...state, clients: held('-') }, reply: ['wait', record.holder, record.failed] };
      const isTakeover = record !== null && record.holder !== token && record.holder !== '-';
      const base = record ?? { generation: `g${fresh}`, takeovers: 0, failed: '-' };
      const next = { ...base, holder: token, isPast: false, takeovers: base.takeovers + (isTakeover ? 1 : 0) };
      return { state: { value, record: next, clients: held(next.generation) }, reply: ['grant', next.generation] };
    }
    case 'begin keep':
    case 'begin drop':
    case 'begin again': {
      const isSame = record !== null && record.holder === token;
      const base = isSame ? record : { generation: `g${fresh}`, takeovers: 0, failed: '-' };
      const next = { ...base, holder: token, isPast: false };
      const after = isSame ? held(next.generation) : voided(held(next.generation), who);
      const left = operation === 'begin drop' ? null : value;
      return { state: { value: left, record: next, clients: after }, reply: ['grant', next.generation] };
    }
    case 'commit':
      if (own.generation === '-') return undefined;
      if (record?.generation === own.generation)
        return { state: { ...state, value: { generation: own.generation, token }, record: null }, reply: ['stored'] };
      if (value?.generation !== own.generation) return { state, reply: ['refused'] };
      return { state, reply: [value.token === token ? 'stored' : 'superseded'] };
    case 'renew':
      if (own.generation === '-') return undefined;
      if (record?.generation !== own.generation)
        return { state, reply: [value?.generation === own.generation ? 'taken' : 'lost'] };
      if (record.holder !== token) return { state, reply: ['taken'] };
      return { state: { ...state, record: { ...record, isPast: false } }, reply: ['held'] };
    case 'release again':
    case 'release alone': {
      if (record === null || record.holder !== token) return { state, reply: ['0'] };
      const isAlone = operation === 'release alone';
      const failed = isAlone ? token : record.failed;
      const left = isAlone || record.takeovers > 0 ? { ...record, holder: '-', isPast: true, failed } : null;
      return { state: { ...state, record: left }, reply: ['1'] };
    }
    case 'invalidate':
      return { state: { value: null, record: null, clients: voided(clients) }, reply: [value === null ? '0' : '1'] };
    case 'expire':
      return { state: { value, record: null, clients: voided(clients) }, reply: [value === null ? '0' : '1'] };
    case 'pass':
      if (record === null || record.isPast) return undefined;
      return { state: { ...state, record: { ...record, isPast: true } }, reply: [] };
  }
}

/** The same for states that differ in their names only. */
export function canonical(state: State): State {
  const names = new Map<string, string>();
  const text = JSON.stringify(state).replace(/"([tg])\d+"/g, (name, kind: string) => {
    if (!names.has(name)) names.set(name, `"${kind}${names.size + 1}"`);
    return names.get(name)!;
  });
  return JSON.parse(text) as State;
}
