/*
 * A framer for a game whose lengths are enciphered with a key that moves on with each packet, which
 * no declarative framer can follow.
 *
 *   the first packet      'R' 'K' | seed, 4 bytes, little-endian
 *   each one behind it    length, 2 bytes, little-endian, XOR the key | so many bytes
 *
 * The key begins as the seed, and is multiplied and added to after each packet; the upper 16 of its
 * 31 bits cipher the length. Bodies are handed on as they are.
 *
 * Arguments: none, or "MULTIPLIER INCREMENT", both decimal, where a server has its own.
 */
#include "gatehouse_framer.h"

#include <stdio.h>
#include <stdlib.h>

enum { HELLO_BYTES = 6, LENGTH_BYTES = 2 };

/* Codes of violations, for the log. */
enum { NO_HELLO = 1, EMPTY_PACKET = 2 };

struct numbers {
  uint32_t multiplier;
  uint32_t increment;
};

/*
 * What is kept for a stream: the key of this packet in the upper half, and that of the next one in
 * the lower. `step` may see a packet more than once, so it only writes down what follows; `taken`
 * moves on. The highest bit tells a key from none, as a key may be 0.
 */
static const uint32_t is_key = UINT32_C(1) << 31;

static uint32_t current(uint64_t stream) { return (uint32_t)(stream >> 32); }

static void note_next(uint64_t *stream, uint32_t key) {
  *stream = (*stream & ~(uint64_t)UINT32_MAX) | key | is_key;
}

static struct gatehouse_framer_step answer(uint32_t kind, uint64_t byte_count) {
  struct gatehouse_framer_step step = {.answer = kind, .dropped = 0, .byte_count = byte_count};
  return step;
}

static int open_numbers(const char *arguments, void **context, char *error, size_t error_size) {
  struct numbers *numbers = malloc(sizeof *numbers);
  if (numbers == NULL) {
    snprintf(error, error_size, "there is no memory left");
    return 1;
  }
  numbers->multiplier = 1103515245;
  numbers->increment = 12345;
  unsigned long multiplier, increment;
  char behind;
  if (arguments[0] != '\0') {
    if (sscanf(arguments, "%9lu %9lu%c", &multiplier, &increment, &behind) != 2) {
      free(numbers);
      snprintf(error, error_size, "\"%.40s\" is not a multiplier and an increment", arguments);
      return 1;
    }
    numbers->multiplier = (uint32_t)multiplier;
    numbers->increment = (uint32_t)increment;
  }
  *context = numbers;
  return 0;
}

static void close_numbers(void *context) { free(context); }

static struct gatehouse_framer_step hello(uint64_t *stream, const uint8_t *bytes, size_t count) {
  if (bytes[0] != 'R' || (count > 1 && bytes[1] != 'K'))
    return answer(GATEHOUSE_FRAMER_VIOLATION, NO_HELLO);
  /* One more, so that a wrong second byte is seen when it comes. */
  if (count < 2) return answer(GATEHOUSE_FRAMER_NEED_MORE, 2);
  if (count < HELLO_BYTES) return answer(GATEHOUSE_FRAMER_NEED_MORE, HELLO_BYTES);
  uint32_t seed = (uint32_t)bytes[2] | (uint32_t)bytes[3] << 8 | (uint32_t)bytes[4] << 16 |
                  (uint32_t)bytes[5] << 24;
  note_next(stream, seed);
  return answer(GATEHOUSE_FRAMER_PACKET, HELLO_BYTES);
}

static struct gatehouse_framer_step step(void *context, uint64_t *stream, const uint8_t *bytes,
                                         size_t count, size_t scanned) {
  const struct numbers *numbers = context;
  (void)scanned;
  if (!(current(*stream) & is_key)) return hello(stream, bytes, count);
  if (count < LENGTH_BYTES) return answer(GATEHOUSE_FRAMER_NEED_MORE, LENGTH_BYTES);
  uint32_t key = current(*stream) & ~is_key;
  uint32_t length = ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8) ^ (key >> 15);
  if (length == 0) return answer(GATEHOUSE_FRAMER_VIOLATION, EMPTY_PACKET);
  size_t whole = LENGTH_BYTES + length;
  if (count < whole) return answer(GATEHOUSE_FRAMER_NEED_MORE, whole);
  note_next(stream, key * numbers->multiplier + numbers->increment);
  return answer(GATEHOUSE_FRAMER_PACKET, whole);
}

static void taken(void *context, uint64_t *stream) {
  (void)context;
  *stream <<= 32;
}

__attribute__((visibility("default")))
const struct gatehouse_framer *gatehouse_framer(void) {
  static const struct gatehouse_framer framer = {
      .abi = GATEHOUSE_FRAMER_ABI,
      .size = sizeof(struct gatehouse_framer),
      .open = open_numbers,
      .close = close_numbers,
      .step = step,
      .taken = taken,
      /* What is kept for a stream is a number: there is nothing to free. */
      .end = NULL,
  };
  return &framer;
}
