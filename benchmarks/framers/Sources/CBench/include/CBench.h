#ifndef CBENCH_H
#define CBENCH_H

#include <stddef.h>
#include <stdint.h>

struct gatehouse_framer_step;

/* How often this program has asked for memory so far. */
uint64_t bench_allocations(void);

/* Processor time of this thread, in nanoseconds. */
uint64_t bench_nanoseconds(void);

/* A plugin's `step`: packets with two bytes of length, big-endian, of what follows. */
struct gatehouse_framer_step bench_plugin_step(void *context, uint64_t *stream,
                                               const uint8_t *bytes, size_t count, size_t scanned);

/* Ends of lines, found with memchr alone. */
size_t bench_memchr(const uint8_t *bytes, size_t count);

/* A copy, of which nothing is left out. */
void bench_memcpy(uint8_t *target, const uint8_t *bytes, size_t count);

#endif
