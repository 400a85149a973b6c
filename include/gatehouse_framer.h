/*
 * Gatehouse framer plugins, ABI version 1.
 *
 * A plugin cuts one direction of a TCP stream into packets where no declarative framer can: because
 * it takes keys, counters or another packet's contents to know where a packet ends. It is a shared
 * object that exports one function:
 *
 *     const struct gatehouse_framer *gatehouse_framer(void);
 *
 * The gateway asks `step` what lies at the front of a stream. It calls from one thread at a time for
 * one context, but a program may open several contexts, on several threads. No call may block, wait
 * or change the bytes it is shown. What a plugin answers is checked: an answer out of bounds ends
 * the session as a framing violation, never the gateway. But a plugin runs in the gateway's process:
 * one that crashes, or loops, takes the gateway with it.
 *
 * See examples/plugin for a plugin with a build, and docs/framers.md for how one is configured.
 */
#ifndef GATEHOUSE_FRAMER_H
#define GATEHOUSE_FRAMER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The gateway refuses a plugin whose `abi` is another number. */
#define GATEHOUSE_FRAMER_ABI 1u

/* What `step` found at the front of the stream. */
enum gatehouse_framer_answer {
  /* A whole packet of `byte_count` bytes (1 to the `count` that was shown), of which the last
   * `dropped` (0 to byte_count) are not handed to a worker. */
  GATEHOUSE_FRAMER_PACKET = 0,
  /* Nothing can be decided before `byte_count` bytes (more than `count`) are there. */
  GATEHOUSE_FRAMER_NEED_MORE = 1,
  /* No packet ends in these bytes, and it is not known how many are missing. `step` is called again
   * when there are more, with `scanned` the count of these. */
  GATEHOUSE_FRAMER_NEED_ANY_MORE = 2,
  /* The bytes break the protocol's rules; `byte_count` is a code of the plugin's own, for the log. */
  GATEHOUSE_FRAMER_VIOLATION = 3
};

struct gatehouse_framer_step {
  uint32_t answer; /* enum gatehouse_framer_answer */
  uint32_t dropped;
  uint64_t byte_count;
};

struct gatehouse_framer {
  /* GATEHOUSE_FRAMER_ABI as the plugin was compiled with. */
  uint32_t abi;
  /* sizeof(struct gatehouse_framer) as the plugin was compiled with. */
  uint32_t size;

  /* Called once for each framer of a configuration that names the plugin. `arguments` is the text
   * from the configuration, zero-terminated, valid during the call. Returns 0 and sets *context (NULL
   * is allowed); or returns another number and writes a zero-terminated explanation to `error`. */
  int (*open)(const char *arguments, void **context, char *error, size_t error_size);

  /* Called once, when no stream uses the context any more; not to block either. May be NULL. */
  void (*close)(void *context);

  /* What lies at the front of a stream, `count` bytes, at least 1, of which the first `scanned` were
   * shown before and answered with GATEHOUSE_FRAMER_NEED_ANY_MORE; 0 when they are new. The same front
   * may be shown again, longer or shorter than before; and when a worker was lost in the middle of a
   * packet, its front is gone and the next bytes begin another. *stream belongs to the plugin: 0 at
   * the stream's start, kept from call to call; it may hold a number or a pointer. What `step`
   * notes about a packet must not count twice. Must not be NULL. */
  struct gatehouse_framer_step (*step)(void *context, uint64_t *stream, const uint8_t *bytes,
                                       size_t count, size_t scanned);

  /* The packet that `step` found last has been taken: the next call shows what follows it. This is
   * where a counter or a key moves on. May be NULL. */
  void (*taken)(void *context, uint64_t *stream);

  /* The stream is over, or another framer goes on with it: what *stream points to can be freed. Called
   * only when *stream is not 0. May be NULL. */
  void (*end)(void *context, uint64_t *stream);
};

/* The plugin's one exported function. The result must stay valid as long as the plugin is loaded. */
const struct gatehouse_framer *gatehouse_framer(void);

#ifdef __cplusplus
}
#endif

#endif
