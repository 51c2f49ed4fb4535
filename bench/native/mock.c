/* The upstream of the benchmarks: answers every request on its port in the same way, and costs next to nothing.
 *
 *   mock PORT json FILE                the file, as application/json
 *   mock PORT sse FILE INTERVAL_US     its events, one HTTP chunk each, one per interval; 0: all in one write
 *   ... FAULT_EVERY                    every n-th request meets a fault: a reset, a 500, and an answer cut in half, in turn
 *
 * An '@' and 16 digits in an event are overwritten with the microseconds of the monotonic clock at which it is sent.
 * The clock is the machine's, so a client on it can tell how long each event was under way.
 *
 * One thread, one epoll. All paced streams have one interval, so those that are due next are the head of a queue, and
 * one timer serves them all. Bodies are counted and thrown away; a request with a chunked body is refused.
 */

#include "net.h"

#include <signal.h>
#include <sys/timerfd.h>

typedef struct Connection {
    int fd;
    char head[HEAD_BYTES_MAX + 1];
    size_t head_length;
    size_t body_left;
    bool in_body;

    size_t event;               /* the next one to send, while streaming */
    size_t event_end;           /* a cut stream ends before the others */
    bool streaming;
    bool gone;                  /* the client closed a stream that is still queued */
    bool cut;                   /* hang up when all is sent, instead of ending properly */
    int64_t due_us;
    struct Connection *next;

    char *unsent;               /* what the socket would not take yet */
    size_t unsent_length;
} Connection;

typedef struct {
    char *bytes;                /* framed as an HTTP chunk */
    size_t length;
    char *stamp;                /* where the digits go, or NULL */
} Event;

enum { FAULT_RESET, FAULT_STATUS, FAULT_CUT, FAULTS };

static const char STREAM_HEAD[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char STREAM_END[] = "0\r\n\r\n";
#define FAULT_BODY "{\"error\":{\"message\":\"a planned fault\",\"type\":\"server_error\",\"code\":null}}"
static const char FAULT_HEAD[] =
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s";
static const char LENGTH_REQUIRED[] = "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static int epoll, timer, listener_fd; /* the addresses of the last two name them to epoll */
static char *answer;            /* the JSON reply with its head */
static size_t answer_length;
static char fault_answer[512];
static size_t fault_answer_length;
static Event *events;           /* or the events of a stream */
static size_t event_count;
static int64_t interval_us;
static long fault_every, requests;
static Connection *queue_head, *queue_tail;

/* ---- writing ---- */

/* `more` is MSG_MORE if the rest follows at once, or 0. */
static void write_bytes(Connection *c, const char *bytes, size_t length, int more) {
    ssize_t sent = c->unsent_length ? 0 : send(c->fd, bytes, length, MSG_NOSIGNAL | more);
    if (sent < 0 && errno != EAGAIN) return; /* the read side sees the reset */
    if (sent < 0) sent = 0;
    size_t rest = length - (size_t)sent;
    if (!rest) return;
    if (!c->unsent_length) watch(epoll, EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLOUT, c);
    c->unsent = must(realloc(c->unsent, c->unsent_length + rest));
    memcpy(c->unsent + c->unsent_length, bytes + sent, rest);
    c->unsent_length += rest;
}

static void drop(Connection *c) {
    close(c->fd);
    free(c->unsent);
    free(c);
}

/* The client reads what is under way and then the end; reading our own end of it drops the connection. */
static void hang_up_if_cut(Connection *c) {
    if (c->cut && !c->streaming && !c->unsent_length) shutdown(c->fd, SHUT_RDWR);
}

static void write_unsent(Connection *c) {
    ssize_t sent = send(c->fd, c->unsent, c->unsent_length, MSG_NOSIGNAL);
    if (sent <= 0) return;
    c->unsent_length -= (size_t)sent;
    memmove(c->unsent, c->unsent + sent, c->unsent_length);
    if (c->unsent_length) return;
    watch(epoll, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
    hang_up_if_cut(c);
}

static void write_event(Connection *c) {
    Event *event = &events[c->event++];
    if (event->stamp) {
        char digits[STAMP_DIGITS + 1];
        snprintf(digits, sizeof digits, "%0*lld", STAMP_DIGITS, (long long)now_us());
        memcpy(event->stamp, digits, STAMP_DIGITS);
    }
    write_bytes(c, event->bytes, event->length, interval_us ? 0 : MSG_MORE);
}

/* ---- pacing ---- */

static void set_timer(void) {
    if (!queue_head) return;
    int64_t wait_us = queue_head->due_us - now_us();
    if (wait_us < 1) wait_us = 1; /* 0 would disarm it */
    struct itimerspec at = {.it_value = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000}};
    timerfd_settime(timer, 0, &at, NULL);
}

static void enqueue(Connection *c, int64_t due_us) {
    bool was_empty = !queue_head;
    c->due_us = due_us;
    c->next = NULL;
    if (was_empty) queue_head = c;
    else queue_tail->next = c;
    queue_tail = c;
    if (was_empty) set_timer();
}

static void finish_stream(Connection *c) {
    c->streaming = false;
    if (!c->cut) write_bytes(c, STREAM_END, sizeof STREAM_END - 1, 0);
    hang_up_if_cut(c);
}

static void send_due(void) {
    uint64_t expirations;
    if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) die("timer");
    int64_t now = now_us();
    while (queue_head && queue_head->due_us <= now) {
        Connection *c = queue_head;
        queue_head = c->next;
        if (c->gone) {
            drop(c);
            continue;
        }
        write_event(c);
        if (c->event == c->event_end) finish_stream(c);
        else enqueue(c, c->due_us + interval_us > now ? c->due_us + interval_us : now);
    }
    set_timer();
}

/* ---- answering ---- */

static void start_stream(Connection *c) {
    c->event = 0;
    c->event_end = c->cut ? event_count / 2 : event_count;
    c->streaming = true;
    write_bytes(c, STREAM_HEAD, sizeof STREAM_HEAD - 1, MSG_MORE);
    if (interval_us) {
        write_event(c);
        enqueue(c, now_us() + interval_us);
        return;
    }
    while (c->event < c->event_end) write_event(c);
    finish_stream(c);
}

/* Returns false if the connection is no more. */
static bool reply(Connection *c) {
    c->in_body = false;
    c->head_length = 0;
    bool faulty = fault_every && ++requests % fault_every == 0;
    long fault = faulty ? requests / fault_every % FAULTS : -1;
    if (fault == FAULT_RESET) {
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return drop(c), false;
    }
    c->cut = fault == FAULT_CUT;
    if (fault == FAULT_STATUS) write_bytes(c, fault_answer, fault_answer_length, 0);
    else if (events) start_stream(c);
    else write_bytes(c, answer, c->cut ? answer_length / 2 : answer_length, 0), hang_up_if_cut(c);
    return true;
}

/* Take the head, or as much of it as there is; returns how many bytes it was, or -1 if the connection is no more. */
static ssize_t take_head(Connection *c, const char *bytes, size_t length) {
    size_t before = c->head_length, room = HEAD_BYTES_MAX - before, used = length < room ? length : room;
    memcpy(c->head + before, bytes, used);
    c->head_length += used;
    c->head[c->head_length] = 0;
    char *end = strstr(c->head + (before < 3 ? 0 : before - 3), "\r\n\r\n");
    if (!end && c->head_length == HEAD_BYTES_MAX) return drop(c), -1;
    if (!end) return (ssize_t)used;
    end[4] = 0;
    if (header(c->head, "\r\ntransfer-encoding:")) {
        write_bytes(c, LENGTH_REQUIRED, sizeof LENGTH_REQUIRED - 1, 0);
        return drop(c), -1;
    }
    const char *declared = header(c->head, "\r\ncontent-length:");
    c->body_left = declared ? strtoul(declared, NULL, 10) : 0;
    c->in_body = true;
    return c->body_left || reply(c) ? end + 4 - c->head - (ssize_t)before : -1;
}

static ssize_t take_body(Connection *c, size_t length) {
    size_t used = length < c->body_left ? length : c->body_left;
    c->body_left -= used;
    return c->body_left || reply(c) ? (ssize_t)used : -1;
}

static void read_requests(Connection *c) {
    static char bytes[RECEIVE_BYTES];
    ssize_t length = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0 || c->streaming) { /* closed, or a request on top of a stream, which no client of ours sends */
        epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
        if (c->streaming && interval_us) c->gone = true;
        else drop(c);
        return;
    }
    for (ssize_t at = 0, used; at < length; at += used) {
        size_t rest = (size_t)(length - at);
        if ((used = c->in_body ? take_body(c, rest) : take_head(c, bytes + at, rest)) < 0) return;
    }
}

/* ---- starting ---- */

static void load_answer(const char *path) {
    size_t length;
    char *body = read_whole(path, &length);
    answer = must(malloc(length + 256));
    int head = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", length);
    memcpy(answer + head, body, length);
    answer_length = (size_t)head + length;
}

static void load_events(const char *path) {
    size_t length;
    char *text = read_whole(path, &length), *end;
    for (; (end = strstr(text, "\n\n")); text = end + 2) {
        int size = (int)(end + 2 - text);
        events = must(realloc(events, (event_count + 1) * sizeof *events));
        Event *event = &events[event_count++];
        event->bytes = must(malloc((size_t)size + 32));
        event->length = (size_t)sprintf(event->bytes, "%x\r\n%.*s\r\n", (unsigned)size, size, text);
        char *mark = strchr(event->bytes, '@');
        event->stamp = mark ? mark + 1 : NULL;
    }
    if (!event_count) die("no events in the file");
}

static int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address = loopback(port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0) die("listen");
    return fd;
}

static void accept_all(void) {
    for (int fd; (fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        without_delay(fd);
        Connection *c = must(calloc(1, sizeof *c));
        c->fd = fd;
        watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, c);
    }
}

static void serve(void) {
    struct epoll_event ready[EVENTS_PER_WAIT];
    for (;;) {
        int count = epoll_wait(epoll, ready, EVENTS_PER_WAIT, -1);
        for (int i = 0; i < count; i++) {
            Connection *c = ready[i].data.ptr;
            if (ready[i].data.ptr == &listener_fd) accept_all();
            else if (ready[i].data.ptr == &timer) send_due();
            else {
                if (ready[i].events & EPOLLOUT) write_unsent(c);
                if (ready[i].events & ~(uint32_t)EPOLLOUT) read_requests(c);
            }
        }
    }
}

int main(int argc, char **argv) {
    bool streams = argc > 2 && !strcmp(argv[2], "sse");
    int faults_at = streams ? 5 : 4;
    if (argc < faults_at || argc > faults_at + 1) {
        fprintf(stderr, "usage: mock PORT json FILE [FAULT_EVERY] | mock PORT sse FILE INTERVAL_US [FAULT_EVERY]\n");
        return 2;
    }
    if (streams) load_events(argv[3]), interval_us = atoll(argv[4]);
    else load_answer(argv[3]);
    fault_every = argc > faults_at ? atol(argv[faults_at]) : 0;
    fault_answer_length = (size_t)sprintf(fault_answer, FAULT_HEAD, strlen(FAULT_BODY), FAULT_BODY);
    signal(SIGPIPE, SIG_IGN);
    epoll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    listener_fd = listen_on(atoi(argv[1]));
    watch(epoll, EPOLL_CTL_ADD, listener_fd, EPOLLIN, &listener_fd);
    watch(epoll, EPOLL_CTL_ADD, timer, EPOLLIN, &timer);
    serve();
}
