/* What the mock and the load client share: a clock, a file read whole, and sockets of the loopback. */

#ifndef ALLGATE_BENCH_NET_H
#define ALLGATE_BENCH_NET_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    HEAD_BYTES_MAX = 16 * 1024,    /* a request's or response's head; ours have a few hundred */
    EVENTS_PER_WAIT = 512,         /* what one epoll_wait hands out; more only costs stack */
    RECEIVE_BYTES = 256 * 1024,    /* one recv; larger than a loopback socket usually holds */
    STAMP_DIGITS = 16,             /* microseconds of the monotonic clock after an '@', see mock.c */
};

static inline int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static inline _Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

static inline void *must(void *memory) {
    if (!memory) die("out of memory");
    return memory;
}

static inline char *read_whole(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) < 0) die(path);
    *length = (size_t)ftell(file);
    rewind(file);
    char *bytes = must(malloc(*length + 1));
    if (fread(bytes, 1, *length, file) != *length) die(path);
    bytes[*length] = 0;
    fclose(file);
    return bytes;
}

static inline struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline void without_delay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static inline void watch(int epoll, int operation, int fd, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(epoll, operation, fd, &event) < 0) die("epoll_ctl");
}

/* The value of a header in a head that ends in CRLF CRLF and a NUL, or NULL. `name` is "\r\nname:". */
static inline const char *header(const char *head, const char *name) {
    const char *found = strcasestr(head, name);
    if (!found) return NULL;
    found += strlen(name);
    while (*found == ' ') found++;
    return found;
}

#endif
