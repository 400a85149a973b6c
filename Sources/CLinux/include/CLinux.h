// What Glibc's Swift module lacks: variadic calls, and calls that need _GNU_SOURCE.
#pragma once
#include <getopt.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

/// accept4(2): the new socket does not block and is closed on exec.
int clinux_accept(int listener, struct sockaddr *address, socklen_t *length);

/// epoll_ctl(2) with `data` as the event's 64 bits.
int clinux_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);

/// Gives the calling thread a name of at most 15 bytes, for operators (pthread_setname_np(3)).
void clinux_name_thread(const char *name);

/// The 64 bits of an event.
uint64_t clinux_event_data(const struct epoll_event *event);
