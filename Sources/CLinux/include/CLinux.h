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

/// The 64 bits of an event.
uint64_t clinux_event_data(const struct epoll_event *event);
