/*
 * Tags on a server that processes share. An entry carries its tags and the moment at which its run was granted, by the
 * server's clock. All marks of a prefix are in one hash: a mark is the moment of an invalidation, and the field `origin`
 * is the moment at which the hash was made. The reader judges: an entry counts only where its run began after `origin` and
 * after the mark of every one of its tags. One that does not count is asked for again, as garbage is.
 *
 * One key, whose value turns out to have one tag. The clock has few ticks, so that many things share a moment. Commits
 * arrive whenever they like. The hash can be lost (an eviction), and the mark can be dropped for lack of room.
 *
 * Claims:
 *   1. What a call returns is of a run that began after every invalidation answered before the call. That holds also for
 *      a value that the call has waited for.
 *   2. With -DNEAR, the same for the near store of another process, against its own invalidations and those whose message
 *      it has got: it judges by a mirror of the marks.
 *
 * -DCLUSTER: the key and the hash are on masters with clocks of their own. An invalidation asks both and marks with the
 * later moment, and so does who makes the hash anew.
 *
 * Mutants, which must be refuted:
 *   -DMUTANT_MISSING_IS_EMPTY   a hash that is missing has no marks, so it voids nothing
 *   -DMUTANT_MADE_AT_COMMIT     a commit makes a missing hash anew, with an `origin` before its own run
 *   -DMUTANT_BEGUN_AT_COMMIT    an entry carries the moment of its commit
 *   -DMUTANT_SAME_MOMENT        a run that began in the moment of the mark counts
 *   -DMUTANT_SILENT_DROP        a mark is dropped for lack of room, and `origin` does not rise
 *   -DMUTANT_TRUSTED_WAIT       what was waited for is not judged
 *   -DMUTANT_ONE_CLOCK          with -DCLUSTER: the mark is the moment of the hash's master alone
 *   -DMUTANT_LATE_MIRROR        with -DNEAR: an invalidation is in the own mirror only when its message comes back
 */
#ifndef CALLERS
#define CALLERS 2
#endif
#ifndef CALLS
#define CALLS 2
#endif
#ifndef INVALIDATIONS
#define INVALIDATIONS 1
#endif
#ifndef TICKS
#define TICKS 3
#endif
#define NONE 0

/* Clocks of the key's master and of the hash's master. Moment 0 is before all others. */
byte key_clock = 1;
#ifdef CLUSTER
byte hash_clock = 1;
#else
#define hash_clock key_clock
#endif

/* The value: who wrote it (NONE: there is none), when its run was granted, and in truth after which invalidation. */
byte stamp, begun_at, truth;
byte last_stamp;
/* The record: who runs (NONE: nobody). */
byte generation, last_generation;
/* The hash. Origin NONE: it is missing. */
byte origin, mark;

/* What an observer knows. */
byte invalidations_called, invalidations_answered;

#ifdef MUTANT_SAME_MOMENT
#define AFTER >=
#else
#define AFTER >
#endif
#define counts(begun, origin_read, mark_read) (begun AFTER origin_read && begun AFTER mark_read)

inline latest(raised, other) {
  atomic {
    if
    :: other > raised -> raised = other
    :: else
    fi
  }
}

proctype Tick() {
  byte ticks;
  do
  :: ticks == TICKS -> break
  :: ticks < TICKS -> atomic { key_clock++; ticks++ }
#ifdef CLUSTER
  :: ticks < TICKS -> atomic { hash_clock++; ticks++ }
#endif
  od
}

proctype Commit(byte own_generation; byte own_begun; byte own_truth) {
  atomic {
    if
    :: generation == own_generation ->
       last_stamp++;
       stamp = last_stamp; truth = own_truth;
#ifdef MUTANT_BEGUN_AT_COMMIT
       begun_at = key_clock;
#else
       begun_at = own_begun;
#endif
       generation = NONE;
#ifdef MUTANT_MADE_AT_COMMIT
       if
       :: origin == NONE -> origin = own_begun - 1; mark = NONE
       :: else
       fi
#endif
    :: else
    fi
  }
}

/* Makes a missing hash anew. Sets `now` to the latest moment of any master. */
inline make_hash() {
  now = key_clock;
  atomic {
    latest(now, hash_clock);
    if
    :: origin == NONE -> origin = now; mark = NONE
    :: else
    fi
  }
  now = 0
}

proctype Caller() {
  byte call, floor, now;
  byte read_stamp, read_begun, read_truth, read_origin, read_mark;
  byte own_generation, own_begun, own_truth;
  do
  :: call == CALLS -> break
  :: call < CALLS ->
     call++;
     floor = invalidations_answered;

read:
     atomic { read_stamp = stamp; read_begun = begun_at; read_truth = truth }
judge:
     atomic { read_origin = origin; read_mark = mark }
     if
#ifdef MUTANT_MISSING_IS_EMPTY
     :: read_stamp != NONE && counts(read_begun, read_origin, read_mark) ->
#else
     :: read_stamp != NONE && read_origin != NONE && counts(read_begun, read_origin, read_mark) ->
#endif
        assert(read_truth >= floor);
        goto end_of_call
     :: else
     fi;
     if
     :: read_origin == NONE -> make_hash()
     :: else
     fi;

     /* acquire(seen): a value that was judged void is not offered again */
     atomic {
       if
       :: stamp != NONE && stamp != read_stamp ->
          read_stamp = stamp; read_begun = begun_at; read_truth = truth;
#ifdef MUTANT_TRUSTED_WAIT
          assert(read_truth >= floor);
          goto end_of_call
#else
          goto judge
#endif
       :: else
       fi;
       if
       :: generation == NONE -> last_generation++; generation = last_generation
       :: generation != NONE                                          /* taken over, in the same generation */
       :: generation != NONE -> goto wait
       fi;
       own_generation = generation;
       own_begun = key_clock
     }
     own_truth = invalidations_called;                                /* `fn` begins */
     if
     :: run Commit(own_generation, own_begun, own_truth)
     :: true                                                          /* `fn` fails; its lease runs out */
     fi;
     goto end_of_call;

wait:
     if
     :: stamp != NONE && stamp != read_stamp -> goto read
     :: true -> goto end_of_call                                      /* gives up: runs alone, unwritten */
     fi;

end_of_call:
     atomic {
       floor = 0; read_stamp = 0; read_begun = 0; read_truth = 0; read_origin = 0; read_mark = 0;
       own_generation = 0; own_begun = 0; own_truth = 0
     }
  od
}

/* Sets the mark to the latest moment of any master, and says so. */
inline invalidate(own_fence, own_moment) {
  atomic { invalidations_called++; own_fence = invalidations_called }
#ifndef MUTANT_ONE_CLOCK
  own_moment = key_clock;
#endif
  atomic {
    latest(own_moment, hash_clock);
    if
    :: origin == NONE -> origin = own_moment
    :: else
    fi;
    latest(mark, own_moment);
#ifdef NEAR
    messages!own_moment, own_fence
#endif
  }
}

#ifdef NEAR
chan messages = [INVALIDATIONS + 1] of { byte, byte };

/* The process with the near store: a copy of the value, and a mirror of the marks. */
byte near_stamp, near_begun, near_truth;
byte mirror_mark;
byte near_floor;

/* A hit in near asks no server. */
proctype Near() {
  byte moment, fence;
end:
  do
  :: messages?moment, fence ->
     atomic { latest(mirror_mark, moment); latest(near_floor, fence); moment = 0; fence = 0 }
  :: atomic { stamp != near_stamp -> near_stamp = stamp; near_begun = begun_at; near_truth = truth }
  :: atomic { near_stamp != NONE && near_begun AFTER mirror_mark -> assert(near_truth >= near_floor) }
  od
}

/* The process of the near store invalidates: the mirror has it before the call is answered. */
proctype InvalidateNear() {
  byte fence, moment;
  invalidate(fence, moment);
#ifndef MUTANT_LATE_MIRROR
  latest(mirror_mark, moment);
#endif
  atomic { latest(invalidations_answered, fence); latest(near_floor, fence) }
}
#endif

proctype Invalidate() {
  byte fence, moment;
  invalidate(fence, moment);
  latest(invalidations_answered, fence)
}

/* The hash is lost. */
proctype Evict() {
  atomic { origin = NONE; mark = NONE }
}

/* There is no room for the mark. */
proctype Drop() {
  atomic {
    if
    :: origin != NONE && mark != NONE ->
#ifndef MUTANT_SILENT_DROP
       latest(origin, mark);
#endif
       mark = NONE
    :: else
    fi
  }
}

init {
  byte index;
  atomic {
    run Tick();
    do
    :: index < CALLERS -> run Caller(); index++
    :: else -> break
    od;
    index = 0;
    do
    :: index < INVALIDATIONS -> run Invalidate(); index++
    :: else -> break
    od;
#ifdef NEAR
    run Near();
    run InvalidateNear();
#endif
#ifdef WITH_EVICTION
    run Evict();
#endif
#ifdef WITH_DROP
    run Drop();
#endif
  }
}
