#define _GNU_SOURCE
#include "CBench.h"
#include "../../../../include/gatehouse_framer.h"

#include <string.h>
#include <time.h>

/* The functions of glibc behind those that are counted here. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static uint64_t allocations;

uint64_t bench_allocations(void) { return allocations; }

void *malloc(size_t size) {
  allocations++;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  allocations++;
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  allocations++;
  return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  allocations++;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **made, size_t alignment, size_t size) {
  *made = aligned_alloc(alignment, size);
  return *made == NULL ? 12 : 0;
}

uint64_t bench_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct gatehouse_framer_step bench_plugin_step(void *context, uint64_t *stream,
                                               const uint8_t *bytes, size_t count,
                                               size_t scanned) {
  struct gatehouse_framer_step step = {GATEHOUSE_FRAMER_NEED_MORE, 0, 2};
  (void)context;
  (void)stream;
  (void)scanned;
  if (count < 2) return step;
  step.byte_count = 2 + ((size_t)bytes[0] << 8 | bytes[1]);
  if (step.byte_count <= count) step.answer = GATEHOUSE_FRAMER_PACKET;
  return step;
}

size_t bench_memchr(const uint8_t *bytes, size_t count) {
  const uint8_t *end = bytes + count;
  size_t lines = 0;
  for (const uint8_t *found; (found = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL;) {
    lines++;
    bytes = found + 1;
  }
  return lines;
}

void bench_memcpy(uint8_t *target, const uint8_t *bytes, size_t count) {
  memcpy(target, bytes, count);
  /* Keeps the copy from being left out. */
  __asm__ volatile("" : : "r"(target) : "memory");
}
