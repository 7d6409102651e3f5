/*
 * The lease protocol of lib/redis/scripts.ts, for one key: what the server keeps, and processes that run `fn`, invalidate,
 * prime and refresh, while leases run out, answers get lost and commits arrive late or twice.
 *
 * Each script of the server is one `atomic` block. Time is not modelled: a lease can have run out at any moment, so what
 * holds here holds with every clock.
 *
 * Claims:
 *   1. No stale write. A commit that writes is of a run that began after every fence (invalidate, prime, refresh) that has
 *      been answered; the value, and so each hit, is of a run that began after every invalidation that has been answered.
 *   2. No lost result. A commit is refused only where there was a fence or a loss of data since its grant: a run that has
 *      outlived its lease is still stored.
 *   3. One run. With -DQUIET (no lease runs out, nothing is lost, no fence) two runs never overlap, and a call that waits goes on.
 *
 * What happens beside the calls: -DINVALIDATIONS=n, -DWITH_PRIME, -DWITH_REFRESH, -DWITH_FLUSH.
 *
 * Mutants, which must be refuted:
 *   -DMUTANT_BLIND_COMMIT     commit does not ask for the generation                                        (claim 1)
 *   -DMUTANT_KEPT_RECORD      invalidate unlinks the value and leaves the record                            (claim 1)
 *   -DMUTANT_KEPT_VALUE       prime fences, and does not drop the value in that step                         (claim 1)
 *   -DMUTANT_NEW_GENERATION   a takeover starts a generation of its own                                     (claim 2)
 *   -DMUTANT_SILENT_FAILURE   with -DQUIET: a run that fails leaves its lease to a clock that never strikes (claim 3)
 *   -DMUTANT_NO_LEASE         with -DQUIET: acquire grants without a look at the record                     (claim 3)
 */
#ifndef CALLERS
#define CALLERS 2
#endif
#ifndef CALLS
#define CALLS 1
#endif
#ifndef INVALIDATIONS
#define INVALIDATIONS 0
#endif
#define TOKENS (CALLERS * CALLS + 3)
#define PRIME_TOKEN (CALLERS * CALLS + 1)
#define REFRESH_TOKEN (CALLERS * CALLS + 2)
#define NONE 0

/* What the server keeps. Generation NONE: there is no value, or no record. Holder NONE: `-`. */
byte value_generation, value_begun;
byte record_generation, record_holder, record_failed;
bool record_taken_over;
byte last_generation;

/* What an observer knows. A run that begins when n fences have been called began after the n-th. */
byte fences_called, fences_answered, invalidations_answered;
byte fences_done;             /* and losses of data */
bool released[TOKENS];
byte leased_runs;

inline observe() {
  assert(value_generation == NONE || value_begun >= invalidations_answered)
}

inline answered(counter, fence) {
  if
  :: fence > counter -> counter = fence
  :: else
  fi
}

inline drop_record() {
  record_generation = NONE; record_holder = NONE; record_failed = NONE; record_taken_over = false
}

inline start_generation(token) {
  last_generation++;
  record_generation = last_generation; record_holder = token; record_failed = NONE; record_taken_over = false
}

inline write(generation, begun) {
  assert(begun >= fences_answered);
  value_generation = generation; value_begun = begun;
  drop_record();
  observe()
}

inline commit(token, generation, begun, fences_at_grant) {
  atomic {
    if
#ifdef MUTANT_BLIND_COMMIT
    :: true -> write(generation, begun)
#else
    :: record_generation == generation -> write(generation, begun)
    :: record_generation != generation && value_generation == generation                      /* stored, or superseded */
    :: else -> assert(fences_done > fences_at_grant || released[token])                       /* refused */
#endif
    fi
  }
}

inline release_again(token) {
  atomic {
    released[token] = true;
    if
    :: record_generation != NONE && record_holder == token && record_taken_over -> record_holder = NONE
    :: record_generation != NONE && record_holder == token && !record_taken_over -> drop_record()
    :: else
    fi
  }
}

inline release_alone(token) {
  atomic {
    released[token] = true;
    if
#ifndef MUTANT_SILENT_FAILURE
    :: record_generation != NONE && record_holder == token -> record_holder = NONE; record_failed = token
#endif
    :: else
    fi
  }
}

/* A commit on its way: it arrives whenever it likes, after its sender has given up too. */
proctype Commit(byte token; byte generation; byte begun; byte fences_at_grant) {
  commit(token, generation, begun, fences_at_grant)
}

proctype Caller(byte me) {
  byte call, token, generation, begun, fences_at_grant, floor, holder;
  bool has_heard_failure;
  do
  :: call == CALLS -> break
  :: call < CALLS ->
     token = 1 + me * CALLS + call;
     call++;
     floor = invalidations_answered;
     has_heard_failure = false;

acquire:
     atomic {
       if
       :: value_generation != NONE ->
          assert(value_begun >= floor);
          goto end_of_call
       :: else
       fi;
       if
       :: record_generation == NONE -> start_generation(token)
       :: record_generation != NONE && (record_holder == token || record_holder == NONE) -> record_holder = token
#ifdef MUTANT_NO_LEASE
       :: record_generation != NONE && record_holder != token -> record_holder = token
#endif
#ifndef QUIET
       :: record_generation != NONE && record_holder != token && record_holder != NONE ->     /* its lease has run out */
#ifdef MUTANT_NEW_GENERATION
          start_generation(token);
#endif
          record_taken_over = true; record_holder = token
#endif
       :: record_generation != NONE && record_holder != token && record_holder != NONE ->
          holder = record_holder;
          if
          :: has_heard_failure -> goto end_of_call                                            /* runs alone, unwritten */
          :: else -> goto wait
          fi
       fi;
       generation = record_generation;
       fences_at_grant = fences_done
     }
     if
     :: true                                                                                  /* the answer arrives */
#ifndef QUIET
     :: true -> goto acquire                                                                  /* lost: sent again */
     :: true -> release_again(token); goto end_of_call                                        /* lost: given up */
#endif
     fi;

     atomic { begun = fences_called; leased_runs++ }
#ifdef QUIET
     assert(leased_runs == 1);
#endif
     if
     :: true ->
#ifdef QUIET
        atomic { leased_runs--; commit(token, generation, begun, fences_at_grant) }
#else
        atomic { leased_runs--; run Commit(token, generation, begun, fences_at_grant) }
        if
        :: true
        :: true -> run Commit(token, generation, begun, fences_at_grant)                      /* sent again */
        :: true -> release_again(token)                                                       /* given up */
        fi
#endif
     :: true -> atomic { leased_runs--; release_alone(token) }                                /* `fn` failed */
     :: true -> atomic { leased_runs--; release_again(token) }                                /* all callers have left */
     fi;
     goto end_of_call;

wait:
     if
     :: record_failed == holder -> has_heard_failure = true
     :: record_failed != holder && (record_holder != holder || value_generation != NONE)
#ifndef QUIET
     :: true                                                                                  /* it looks by the clock */
#endif
     fi;
     goto acquire;

end_of_call:
     /* Forgotten, so that states which differ in nothing else are one. */
     atomic { token = 0; generation = 0; begun = 0; fences_at_grant = 0; floor = 0; holder = 0; has_heard_failure = false }
  od
}

proctype Invalidate() {
  byte fence;
  atomic { fences_called++; fence = fences_called }
  atomic {
    value_generation = NONE;
#ifndef MUTANT_KEPT_RECORD
    drop_record();
#endif
    fences_done++
  }
  atomic { answered(fences_answered, fence); answered(invalidations_answered, fence); observe() }
}

/*
 * begin with `drop`, then commit. Nothing older may be there once it has been answered. It takes effect with its begin, so
 * an invalidation that is called before that and answered later is one that came first.
 */
proctype Prime() {
  byte fence, generation, begun, fences_at_grant;
  atomic { fences_called++; fence = fences_called }
  atomic {
    fences_done++;
    start_generation(PRIME_TOKEN);
    generation = record_generation;
    begun = fences_called;
    fences_at_grant = fences_done;
#ifndef MUTANT_KEPT_VALUE
    value_generation = NONE
#endif
  }
  commit(PRIME_TOKEN, generation, begun, fences_at_grant);
  atomic { answered(fences_answered, fence); answered(invalidations_answered, fence); observe() }
}

/* begin with `keep`: the value stays, but what began before is not written. */
proctype Refresh() {
  byte fence, generation, begun, fences_at_grant;
  atomic { fences_called++; fence = fences_called }
  atomic {
    fences_done++;
    start_generation(REFRESH_TOKEN);
    generation = record_generation;
    fences_at_grant = fences_done
  }
  atomic { answered(fences_answered, fence); begun = fences_called }
  if
  :: true -> commit(REFRESH_TOKEN, generation, begun, fences_at_grant)
  :: true -> release_alone(REFRESH_TOKEN)
  fi
}

/* The server loses what it holds. */
proctype Flush() {
  atomic { value_generation = NONE; drop_record(); fences_done++ }
}

init {
  byte index;
  atomic {
    do
    :: index < CALLERS -> run Caller(index); index++
    :: else -> break
    od;
    index = 0;
    do
    :: index < INVALIDATIONS -> run Invalidate(); index++
    :: else -> break
    od;
#ifdef WITH_PRIME
    run Prime();
#endif
#ifdef WITH_REFRESH
    run Refresh();
#endif
#ifdef WITH_FLUSH
    run Flush();
#endif
  }
}
