#include "CPcap.h"

#include <dlfcn.h>
#include <stddef.h>

// PCAP_TSTAMP_PRECISION_NANO
enum { nanoseconds = 1 };

static struct {
  struct cpcap *(*open)(FILE *, unsigned int, char *);
  int (*next)(struct cpcap *, struct cpcap_header **, const unsigned char **);
  int (*link_type)(struct cpcap *);
  const char *(*error)(struct cpcap *);
  void (*close)(struct cpcap *);
} library;

const char *cpcap_load(void) {
  if (library.close != NULL) return NULL;
  // The name of Debian and its kin, then that of others.
  void *handle = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) handle = dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return dlerror();
  *(void **)&library.open = dlsym(handle, "pcap_fopen_offline_with_tstamp_precision");
  *(void **)&library.next = dlsym(handle, "pcap_next_ex");
  *(void **)&library.link_type = dlsym(handle, "pcap_datalink");
  *(void **)&library.error = dlsym(handle, "pcap_geterr");
  void *close = dlsym(handle, "pcap_close");
  if (library.open == NULL || library.next == NULL || library.link_type == NULL ||
      library.error == NULL || close == NULL)
    return "it is older than version 1.5";
  *(void **)&library.close = close;
  return NULL;
}

struct cpcap *cpcap_open(FILE *file, char error[CPCAP_ERROR_BYTES]) {
  return library.open(file, nanoseconds, error);
}

int cpcap_next(struct cpcap *capture, struct cpcap_header **header, const unsigned char **bytes) {
  return library.next(capture, header, bytes);
}

int cpcap_link_type(struct cpcap *capture) { return library.link_type(capture); }

const char *cpcap_error(struct cpcap *capture) { return library.error(capture); }

void cpcap_close(struct cpcap *capture) { library.close(capture); }
