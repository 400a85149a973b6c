#define _GNU_SOURCE
#include "CLinux.h"
#include <pthread.h>

int clinux_accept(int listener, struct sockaddr *address, socklen_t *length) {
  return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data = {.u64 = data}};
  return epoll_ctl(epoll, operation, fd, &event);
}

void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

uint64_t clinux_event_data(const struct epoll_event *event) { return event->data.u64; }
