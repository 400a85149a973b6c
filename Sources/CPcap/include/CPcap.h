// The part of libpcap that reads files, found at run time: a gateway must not load the library,
// which only some commands need. No header of it is needed to build. No logic.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>

/// The library's `pcap_t`.
struct cpcap;

/// The library's `struct pcap_pkthdr`; its time is in nanoseconds where it was asked for.
struct cpcap_header {
  struct timeval time;
  uint32_t captured_bytes;
  uint32_t original_bytes;
};

/// What an error is written to: the library's PCAP_ERRBUF_SIZE.
#define CPCAP_ERROR_BYTES 256

/// Loads the library, once; NULL, or why it can't be loaded, which lives until the next call of
/// dlopen(3) on this thread.
const char *cpcap_load(void);

/// pcap_fopen_offline_with_tstamp_precision(3) in nanoseconds; on success closes `file` with what
/// it returns. Only after `cpcap_load`.
struct cpcap *cpcap_open(FILE *file, char error[CPCAP_ERROR_BYTES]);

/// pcap_next_ex(3): 1 for a packet, -2 at the file's end, -1 for an error.
int cpcap_next(struct cpcap *capture, struct cpcap_header **header, const unsigned char **bytes);

/// pcap_datalink(3).
int cpcap_link_type(struct cpcap *capture);

/// pcap_geterr(3).
const char *cpcap_error(struct cpcap *capture);

/// pcap_close(3).
void cpcap_close(struct cpcap *capture);
