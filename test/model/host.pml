/*
 * What the host program does with a handful of files, the kernel's rules and a disk that loses what was not synced.
 *
 * One process, because whoever changes anything holds the host lock. Each alternative of its loop is a step, named after the
 * function of lib/host that does it; what follows __ tells statements of one function apart. Between two steps the holder of the host
 * lock may be killed, or the power may fail. Operators, watchdog, guard and other programs act whenever the lock is free, in any
 * order: no time limit counts.
 *
 * The environment variable WITHOUT takes one step or check out, by the number below; the checker then has to find a fault.
 */

#define WITHOUT_check_of_owner 1
#define WITHOUT_to_disk_of_write_record 2
#define WITHOUT_sync_of_program 3
#define WITHOUT_arm_watchdog 4
#define WITHOUT_guard_of_first_lock 5
#define WITHOUT_check_of_pending 6
#define WITHOUT_to_disk_of_confirm_again 7
#define WITHOUT_check_of_rules 8
#define WITHOUT_sync_of_units 9
#define WITHOUT_to_disk_of_record 10
#define WITHOUT_to_disk_of_program 11
#define WITHOUT_to_disk_of_pending 12
#define WITHOUT_to_disk_of_units 13
#define WITHOUT_to_disk_of_links 14
#define WITHOUT_to_disk_of_confirmed 15
#define WITHOUT_arm_watchdog_of_unlock 16
#define WITHOUT_to_disk_of_others 17
#define WITHOUT_check_of_open 18
#define WITHOUT_to_disk_of_open 19
byte without;
#define HAS(name) (without != WITHOUT_##name)

/* Attempts 1 and 2 are of owner 1, attempt 3 of owner 2. In place of an attempt, pending may name an unlock. */
#define NOBODY 0
#define UNLOCK 4
/* What a name is whose text a power cut took. */
#define LOST 5
#define OWNER(attempt) ((attempt) == 3 -> 2 : ((attempt) == 1 || (attempt) == 2 -> 1 : 0))

/* What a file is, and how much of it a power cut may take: nothing; whether it is there; its text, too. */
#define NONE 0
#define PART 1
#define WHOLE 2
#define CLEAN 0
#define ENTRY 1
#define TEXT 2

/* Files 1 to 3 are the records of the attempts. LINKS enable the units. */
#define PROGRAM 0
#define UNITS 4
#define LINKS 5
#define FILES 6
byte file[FILES], disk[FILES], dirt[FILES];

/* pending names its boot: after a power cut nothing reads it any more, so it needs no copy on the disk. */
byte pending;
bool pending_synced;
byte confirmed, confirmed_disk, confirmed_dirt;

/* In memory. rules are those of an attempt, or of nobody. */
byte rules;
bool watchdog, guard;
/* Somebody killed the watchdog or the guard since the boot, and no init system starts it again. It happens once. */
bool killed;
bool booting;

/* The attempt that lets nobody in; and whether other firewalls drop SSH where our rules do not accept it first. */
byte bad;
bool others_drop;

/* What Terraform believes, for each owner. */
#define NOTHING 0
#define LOCKED 1
#define GONE 2
byte told[3];

/* Who holds the host lock, for which attempt or owner, and the step that comes next. */
mtype = { lock, confirm, rollback, unlock, confirm_unlock, boot, watch, guarding };
mtype = {
  idle, done, power_cut,
  verb_lock, lock_again, check_owner, to_disk__write_record, install_program, write_record, write_record__whole, make_pending, arm_watchdog,
  verb_start_guard__lock, apply_record, live_matches, undo, drop_old_records,
  find_program, verb_confirm, live_matches__confirm, confirm_again, seal_record, call_init__persist, to_disk, verb_confirm__rename,
  to_disk__confirmed, finish_confirm, verb_start_guard,
  roll_back, apply_confirmed__roll_back, lock_after_unlock, unload_except__roll_back, roll_back__pending,
  verb_unlock, make_pending__unlock, arm_watchdog__unlock, unload_except__unlock, open_host,
  verb_confirm_unlock, make_open, to_disk__open, verb_stop_guard, forget_lock, forget_lock__program,
  verb_boot, apply_confirmed__boot, restore
};
mtype verb, step = idle;
byte who;

#define CONFIRMED (confirmed != NOBODY && confirmed != LOST)
#define PENDING (pending != NOBODY)
#define REACHED (rules == NOBODY -> !others_drop : rules != bad)
#define IS_WHOLE(name) (file[name] == WHOLE)
#define UNITS_RUN (IS_WHOLE(UNITS) && IS_WHOLE(LINKS) && IS_WHOLE(PROGRAM))
#define GUARD_ACTS (guard && (PENDING && !watchdog || CONFIRMED && !PENDING && rules != confirmed))

/* What a host is, and what a step makes of it: README.md has the diagram. */
#define open 1
#define pending_lock 2
#define locked 3
#define pending_unlock 4
#define WORD (pending == UNLOCK -> (CONFIRMED -> pending_unlock : open) : (PENDING -> pending_lock : (CONFIRMED -> locked : open)))
byte was;
#define BEFORE was = WORD
#define MAKES(before, after) || was == before && WORD == after
#define AFTER(makes) assert(was == WORD makes); was = 0

#define AT(name) atomic { step == name ->
#define START(by, first) verb = by; step = first
#define END step = done

/* Written in place; renamed into place when its text was on the disk; removed; synced. */
#define WRITE(f, what) file[f] = what; dirt[f] = TEXT
#define RENAME(f) file[f] = WHOLE; dirt[f] = (disk[f] == WHOLE -> CLEAN : ENTRY)
#define REMOVE(f) file[f] = NONE; dirt[f] = (disk[f] == NONE -> CLEAN : ENTRY)
#define SYNC(f) disk[f] = file[f]; dirt[f] = CLEAN
/* A folder, and not the text of what is in it. */
#define SYNC_FOLDER confirmed_disk = confirmed; confirmed_dirt = (confirmed_dirt == TEXT -> TEXT : CLEAN)

#define TELL_LOCKED told[OWNER(who)] = LOCKED; assert(told[1] != LOCKED || told[2] != LOCKED)
#define TELL_GONE told[who] = GONE

/* Removes the records that no name leads to. One that comes back after a power cut is litter. */
inline drop_record(r) {
  if
  :: r != confirmed && r != pending && r != confirmed_disk -> file[r] = NONE; SYNC(r)
  :: else
  fi
}

/* The host lock is free again. A watchdog without anything pending ends; a guard without a lock does nothing. */
inline end() {
  drop_record(1); drop_record(2); drop_record(3);
  if :: !PENDING -> watchdog = false :: else fi;
  if :: !PENDING && !CONFIRMED -> guard = false :: else fi;
  step = idle; who = 0; verb = 0
}

inline cut_file(f) {
  if
  :: dirt[f] == CLEAN
  :: dirt[f] != CLEAN -> file[f] = disk[f]
  :: dirt[f] != CLEAN
  :: dirt[f] == TEXT -> file[f] = PART
  fi;
  SYNC(f)
}

inline cut_confirmed() {
  if
  :: confirmed_dirt == CLEAN
  :: confirmed_dirt != CLEAN -> confirmed = confirmed_disk
  :: confirmed_dirt != CLEAN
  :: confirmed_dirt == TEXT && CONFIRMED -> confirmed = LOST
  fi;
  confirmed_disk = confirmed;
  confirmed_dirt = CLEAN
}

/* What must hold whenever nothing happens by itself any more. */
inline check_rest() {
  /* never cut off for ever; what others do while nobody restores our rules is theirs */
  assert(REACHED || others_drop && killed && !guard && !PENDING);
  /* never confirmed and open */
  assert(confirmed != LOST && (!CONFIRMED || PENDING || rules == confirmed || killed && !guard));
  /* no rules that nothing explains */
  assert(rules == NOBODY || rules == confirmed || rules == pending);
  /* what is locked can be restored, and unlocked */
  assert(!CONFIRMED || IS_WHOLE(PROGRAM) && IS_WHOLE(confirmed));
  /* locked means locked; never locked and forgotten */
  assert(told[1] != LOCKED || OWNER(confirmed) == 1);
  assert(told[2] != LOCKED || OWNER(confirmed) == 2);
  assert(told[1] != GONE || OWNER(confirmed) != 1 && OWNER(rules) != 1);
  assert(told[2] != GONE || OWNER(confirmed) != 2 && OWNER(rules) != 2)
}

active proctype host() {
  c_code { now.without = getenv("WITHOUT") ? atoi(getenv("WITHOUT")) : 0; };
  if :: bad = 2 :: bad = 3 fi;
  do
  /* ---- what people and Terraform do, each over a connection of its own ---- */
  :: atomic { step == idle && !booting && REACHED ->
      if :: who = 1 :: who = 2 :: who = 3 fi;
      if
      :: START(lock, verb_lock); told[OWNER(who)] = NOTHING
      :: START(confirm, find_program)
      fi }
  :: atomic { step == idle && !booting && REACHED ->
      if :: who = 1 :: who = 2 fi;
      if :: START(unlock, find_program) :: START(confirm_unlock, find_program) fi }
  :: atomic { step == idle && !booting && PENDING -> START(rollback, roll_back) }

  /* ---- what acts by itself ---- */
  :: atomic { step == idle && watchdog -> START(watch, roll_back) }
  :: atomic { step == idle && GUARD_ACTS -> if :: PENDING -> START(guarding, roll_back) :: else -> START(guarding, restore) fi }
  :: atomic { step == idle && booting && UNITS_RUN -> START(boot, verb_boot) }
  :: atomic { step == idle && booting && !UNITS_RUN -> booting = false }
  :: atomic { step == idle && !booting && !watchdog && !GUARD_ACTS -> check_rest() }

  /* ---- what happens to a host: a killed verb, watchdog or guard; rules that are flushed; a power cut ---- */
  :: atomic { step != idle && step != power_cut && step != done ->
      if
      :: verb == boot -> booting = false; guard = true
      :: verb == watch && !killed -> killed = true; watchdog = false
      :: verb == guarding && !killed -> killed = true; guard = false
      :: else
      fi;
      END }
  :: atomic { step == idle && !killed && watchdog -> killed = true; watchdog = false }
  :: atomic { step == idle && !killed && guard -> killed = true; guard = false }
  :: atomic { step != power_cut && step != done && rules != NOBODY -> rules = NOBODY }
  :: atomic { step != power_cut && step != done ->
      BEFORE; pending = NOBODY; AFTER(MAKES(pending_lock, open) MAKES(pending_lock, locked) MAKES(pending_unlock, locked));
      rules = NOBODY; pending_synced = false; watchdog = false; guard = false; killed = false;
      others_drop = false; booting = true; who = 0; verb = 0; step = power_cut }
  :: atomic { step == done -> end() }
  :: AT(power_cut)
      cut_confirmed();
      cut_file(PROGRAM); cut_file(1); cut_file(2); cut_file(3); cut_file(UNITS); cut_file(LINKS);
      END }

  /* ---- lock ---- */
  :: AT(verb_lock) if :: confirmed == who -> step = lock_again :: else -> step = check_owner fi }
  :: AT(lock_again)
      if
      :: PENDING && OWNER(pending) == 2 && OWNER(who) != 2 -> END
      :: PENDING && !(OWNER(pending) == 2 && OWNER(who) != 2) -> step = roll_back
      :: !PENDING -> if :: IS_WHOLE(confirmed) -> rules = confirmed; guard = true :: else fi; END
      fi }
  :: AT(check_owner)
      if
      :: CONFIRMED && OWNER(confirmed) != OWNER(who) && HAS(check_of_owner) -> END
      :: else -> step = to_disk__write_record
      fi }
  :: AT(to_disk__write_record)
      /* A name on the disk may lead to the record that is written anew: of a confirm, or an unlock, that was killed. */
      if :: file[who] != NONE && HAS(to_disk_of_write_record) -> SYNC_FOLDER :: else fi;
      step = install_program }
  :: AT(install_program)
      if :: file[PROGRAM] != NONE && HAS(sync_of_program) -> RENAME(PROGRAM) :: else -> WRITE(PROGRAM, WHOLE) fi;
      step = write_record }
  :: AT(write_record) WRITE(who, PART); step = write_record__whole }
  :: AT(write_record__whole) WRITE(who, WHOLE); step = make_pending }
  :: AT(make_pending)
      BEFORE; pending = who; pending_synced = false;
      AFTER(MAKES(open, pending_lock) MAKES(locked, pending_lock) MAKES(pending_unlock, pending_lock));
      step = arm_watchdog }
  :: AT(arm_watchdog)
      if :: HAS(arm_watchdog) -> watchdog = true :: else fi;
      step = verb_start_guard__lock }
  :: AT(verb_start_guard__lock)
      if :: HAS(guard_of_first_lock) -> guard = true :: else fi;
      step = apply_record }
  :: AT(apply_record) if :: rules = who; step = live_matches :: step = undo fi }
  :: AT(live_matches) if :: rules == who -> step = drop_old_records :: else -> step = undo fi }
  :: AT(undo) step = roll_back }
  :: AT(drop_old_records) END }

  /* ---- the launcher: what runs the installed program ---- */
  :: AT(find_program)
      if
      :: file[PROGRAM] == NONE && confirmed == NOBODY && rules == NOBODY && verb == confirm_unlock -> TELL_GONE; END
      :: file[PROGRAM] == WHOLE && verb == confirm -> step = verb_confirm
      :: file[PROGRAM] == WHOLE && verb == unlock -> step = verb_unlock
      :: file[PROGRAM] == WHOLE && verb == confirm_unlock -> step = verb_confirm_unlock
      :: else -> END
      fi }

  /* ---- confirm ---- */
  :: AT(verb_confirm)
      if
      :: confirmed == who && !PENDING -> step = confirm_again
      :: PENDING && pending != UNLOCK && (pending == who || !HAS(check_of_pending)) -> step = live_matches__confirm
      :: else -> END
      fi }
  :: AT(confirm_again)
      if
      :: rules == who && IS_WHOLE(who) ->
      if :: HAS(to_disk_of_confirm_again) -> SYNC_FOLDER :: else fi;
        guard = true; TELL_LOCKED; END
      :: else -> END
      fi }
  :: AT(live_matches__confirm)
      if
      :: IS_WHOLE(pending) && (rules == pending || !HAS(check_of_rules)) -> step = seal_record
      :: else -> END
      fi }
  :: AT(seal_record) dirt[pending] = TEXT; step = call_init__persist }
  :: AT(call_init__persist)
      if :: file[UNITS] != NONE && HAS(sync_of_units) -> RENAME(UNITS) :: else -> WRITE(UNITS, WHOLE) fi;
      RENAME(LINKS);
      step = to_disk }
  :: AT(to_disk)
      if :: HAS(to_disk_of_record) -> SYNC(pending) :: else fi;
      if :: HAS(to_disk_of_program) -> SYNC(PROGRAM) :: else fi;
      if :: HAS(to_disk_of_pending) -> pending_synced = true :: else fi;
      if :: HAS(to_disk_of_units) -> SYNC(UNITS) :: else fi;
      if :: HAS(to_disk_of_links) -> SYNC(LINKS) :: else fi;
      step = verb_confirm__rename }
  :: AT(verb_confirm__rename)
      BEFORE;
      confirmed = pending; confirmed_dirt = (pending_synced -> ENTRY : TEXT);
      pending = NOBODY; pending_synced = false; AFTER(MAKES(pending_lock, locked)); step = to_disk__confirmed }
  :: AT(to_disk__confirmed)
      if :: HAS(to_disk_of_confirmed) -> SYNC_FOLDER :: else fi;
      step = finish_confirm }
  :: AT(finish_confirm)
      /* Removed for good, although the disk may still have the name that leads to it. */
      if :: 1 != confirmed -> file[1] = NONE; SYNC(1) :: else fi;
      if :: 2 != confirmed -> file[2] = NONE; SYNC(2) :: else fi;
      if :: 3 != confirmed -> file[3] = NONE; SYNC(3) :: else fi;
      step = verb_start_guard }
  :: AT(verb_start_guard) guard = true; TELL_LOCKED; END }

  /* ---- roll_back: by the watchdog, the guard, by hand, by a lock that fails, for a lock or an unlock ---- */
  :: AT(roll_back)
      if
      :: !PENDING -> END
      :: PENDING && CONFIRMED && !IS_WHOLE(confirmed) -> assert(false)
      :: PENDING && CONFIRMED && IS_WHOLE(confirmed) && pending == UNLOCK -> step = lock_after_unlock
      :: PENDING && CONFIRMED && IS_WHOLE(confirmed) && pending != UNLOCK -> step = apply_confirmed__roll_back
      :: PENDING && !CONFIRMED -> step = unload_except__roll_back
      fi }
  :: AT(apply_confirmed__roll_back) rules = confirmed; step = roll_back__pending }
  :: AT(lock_after_unlock) rules = confirmed; others_drop = false; step = roll_back__pending }
  :: AT(unload_except__roll_back) rules = NOBODY; step = roll_back__pending }
  :: AT(roll_back__pending)
      BEFORE; pending = NOBODY; pending_synced = false;
      AFTER(MAKES(pending_lock, open) MAKES(pending_lock, locked) MAKES(pending_unlock, locked));
      if :: verb == lock && confirmed == who -> step = lock_again :: else -> END fi }

  /* ---- unlock: out with the rules, until it is confirmed ---- */
  :: AT(verb_unlock)
      if
      :: !CONFIRMED && (!PENDING || pending == UNLOCK) -> step = to_disk__open
      :: !CONFIRMED && PENDING && pending != UNLOCK -> if :: OWNER(pending) == who -> step = open_host :: else -> END fi
      :: CONFIRMED && OWNER(confirmed) == who && (!PENDING || pending == UNLOCK || OWNER(pending) == who) -> step = make_pending__unlock
      :: CONFIRMED && OWNER(confirmed) != who && PENDING && OWNER(pending) == who -> step = roll_back
      :: else -> END
      fi }
  :: AT(make_pending__unlock)
      BEFORE; pending = UNLOCK; pending_synced = false; AFTER(MAKES(locked, pending_unlock) MAKES(pending_lock, pending_unlock));
      step = arm_watchdog__unlock }
  :: AT(arm_watchdog__unlock)
      if :: HAS(arm_watchdog_of_unlock) -> watchdog = true :: else fi;
      step = unload_except__unlock }
  :: AT(unload_except__unlock) rules = NOBODY; if :: others_drop = true :: true fi; END }
  :: AT(open_host) rules = NOBODY; step = make_open }

  /* ---- the confirm of an unlock ---- */
  :: AT(verb_confirm_unlock)
      if
      :: OWNER(confirmed) == 3 - who || !CONFIRMED && OWNER(pending) == 3 - who ->
        if :: HAS(to_disk_of_others) -> SYNC_FOLDER :: else fi;
        TELL_GONE; END
      :: CONFIRMED && OWNER(confirmed) == who && pending == UNLOCK && (rules == NOBODY || !HAS(check_of_open)) -> step = make_open
      :: !CONFIRMED && (!PENDING || pending == UNLOCK) && rules == NOBODY -> step = to_disk__open
      :: else -> END
      fi }
  :: AT(make_open)
      BEFORE; told[who] = NOTHING; confirmed = NOBODY; confirmed_dirt = (confirmed_disk == NOBODY -> CLEAN : ENTRY);
      AFTER(MAKES(pending_unlock, open));
      step = to_disk__open }
  :: AT(to_disk__open)
      if :: HAS(to_disk_of_open) -> SYNC_FOLDER :: else fi;
      step = verb_stop_guard }
  :: AT(verb_stop_guard) guard = false; step = forget_lock }
  :: AT(forget_lock)
      BEFORE; pending = NOBODY; pending_synced = false; AFTER(MAKES(pending_lock, open));
      REMOVE(UNITS); REMOVE(LINKS); step = forget_lock__program }
  :: AT(forget_lock__program)
      REMOVE(PROGRAM);
      if :: verb == confirm_unlock -> TELL_GONE :: else fi;
      END;
      /* nothing is left behind */
      assert(rules == NOBODY && !guard && pending == NOBODY && confirmed == NOBODY);
      assert(file[UNITS] == NONE && file[LINKS] == NONE && file[PROGRAM] == NONE) }

  /* ---- boot and guard ---- */
  :: AT(verb_boot) step = apply_confirmed__boot }
  :: AT(apply_confirmed__boot)
      if :: CONFIRMED && IS_WHOLE(confirmed) -> rules = confirmed :: else fi;
      booting = false; guard = true; END }
  :: AT(restore) if :: IS_WHOLE(confirmed) -> rules = confirmed :: else -> assert(false) fi; END }
  od
}
