/* The client of the benchmarks: keeps N connections busy with one request and reports what came back.
 *
 *   load [options] PORT PATH CONNECTIONS BODY_FILE [HEADER...]
 *     -s SECONDS      start no request after this long, then wait for those under way (default 3)
 *     -n REQUESTS     start no more than this many
 *     -a N            abort every N-th request: hang up at the first byte of its answer
 *
 * Each connection sends its next request when the answer to the last is complete. Answers are read as HTTP/1.1 with a
 * Content-Length or chunked; lines of an event stream that begin with "d", of "data:", are counted as chunks, and an '@'
 * with 16 digits in one is the clock at which the mock sent it (mock.c), so its time under way is known.
 * One line of JSON tells: counts, seconds, and percentiles in microseconds.
 */

#include "net.h"

#include <signal.h>

enum { DRAIN_S_MAX = 20 }; /* a paced stream lasts under 3 s; what takes longer hangs, and is counted as unfinished */

typedef enum { HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER } State;

typedef struct {
    int fd;                     /* -1: at rest */
    size_t sent;                /* bytes of the request that the socket took */
    bool wants_to_send;         /* epoll watches for room */
    int64_t start_us;

    State state;
    char head[HEAD_BYTES_MAX + 1];
    size_t head_length;
    int status;
    bool stream, last_answer, answered, to_abort;
    size_t left;                /* of the body or of the chunk */
    bool line_is_empty;         /* of a chunk size or trailer line */

    bool at_line_start;         /* of the event stream */
    int stamp_digits;           /* read so far; -1 outside a stamp */
    int stamps;                 /* on this line */
    int64_t stamp_us;
} Connection;

typedef struct {
    uint32_t *us;
    size_t count, room;
} Times;

static int epoll, port, active;
static char *request;
static size_t request_length;
static long requests_max = 1L << 40, abort_every, started;
static int64_t stop_us;
static long completed, refused, broken, aborted, chunks, bytes_read;
static Times totals, first_bytes, chunk_delays;

/* ---- figures ---- */

static void note(Times *times, int64_t us) {
    if (times->count == times->room) {
        times->room = times->room ? times->room * 2 : 1 << 16;
        times->us = must(realloc(times->us, times->room * sizeof *times->us));
    }
    times->us[times->count++] = us < 0 ? 0 : (uint32_t)us;
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, Times *times) {
    qsort(times->us, times->count, sizeof *times->us, ascending);
    size_t n = times->count;
    if (!n) return;
    printf(", \"%s_p50_us\": %u, \"%s_p99_us\": %u, \"%s_max_us\": %u", name, times->us[n / 2], name,
           times->us[n * 99 / 100], name, times->us[n - 1]);
}

/* ---- one connection ---- */

static void open_connection(Connection *c) {
    struct sockaddr_in address = loopback(port);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
    without_delay(c->fd);
    c->wants_to_send = false;
    watch(epoll, EPOLL_CTL_ADD, c->fd, EPOLLIN, c);
}

static void close_connection(Connection *c) {
    close(c->fd);
    c->fd = -1;
}

static void send_rest(Connection *c) {
    ssize_t sent = send(c->fd, request + c->sent, request_length - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) c->sent += (size_t)sent;
    bool wants = c->sent < request_length;
    if (wants != c->wants_to_send) watch(epoll, EPOLL_CTL_MOD, c->fd, wants ? EPOLLIN | EPOLLOUT : EPOLLIN, c);
    c->wants_to_send = wants;
}

static void start_request(Connection *c) {
    if (started >= requests_max || now_us() >= stop_us) {
        if (c->fd >= 0) close_connection(c);
        active--;
        return;
    }
    if (c->fd < 0) open_connection(c);
    started++;
    c->to_abort = abort_every && started % abort_every == 0;
    c->state = HEAD;
    c->status = 0;
    c->head_length = 0;
    c->answered = c->stream = c->last_answer = false;
    c->at_line_start = true;
    c->stamp_digits = -1;
    c->stamps = 0;
    c->sent = 0;
    c->start_us = now_us();
    send_rest(c);
}

static void finish(Connection *c) {
    if (c->status == 200) completed++, note(&totals, now_us() - c->start_us);
    else refused++;
    if (c->last_answer) close_connection(c);
    start_request(c);
}

static void give_up(Connection *c, long *counter) {
    ++*counter;
    close_connection(c);
    start_request(c);
}

/* ---- the event stream within a body ---- */

static void read_stamp(Connection *c, char byte) {
    if (byte < '0' || byte > '9') c->stamp_digits = -1;
    else c->stamp_us = c->stamp_us * 10 + (byte - '0'), c->stamp_digits++;
    if (c->stamp_digits == STAMP_DIGITS) c->stamps++, c->stamp_digits = -1;
}

/* A line with one stamp is a chunk on its way; one with many repeats what went before, as the ends of streams do. */
static void end_line(Connection *c) {
    if (c->stamps == 1) note(&chunk_delays, now_us() - c->stamp_us);
    c->stamps = 0;
    c->at_line_start = true;
}

static void read_events(Connection *c, const char *at, size_t length) {
    for (const char *end = at + length; at < end; at++) {
        if (*at == '\n') end_line(c);
        else if (c->at_line_start) chunks += *at == 'd', c->at_line_start = false;
        else if (c->stamp_digits >= 0) read_stamp(c, *at);
        else if (*at == '@') c->stamp_digits = 0, c->stamp_us = 0;
    }
}

/* ---- the answer as HTTP ---- */

/* Returns how many bytes belong to the head. */
static size_t read_head(Connection *c, const char *bytes, size_t length) {
    size_t before = c->head_length, room = HEAD_BYTES_MAX - before, used = length < room ? length : room;
    memcpy(c->head + before, bytes, used);
    c->head_length += used;
    c->head[c->head_length] = 0;
    char *end = strstr(c->head + (before < 3 ? 0 : before - 3), "\r\n\r\n");
    if (!end && c->head_length == HEAD_BYTES_MAX) die("an answer's head does not end");
    if (!end) return used;
    end[4] = 0;
    c->status = atoi(c->head + strlen("HTTP/1.1 "));
    used = (size_t)(end + 4 - c->head) - before;
    if (c->status != 200 && !refused) fprintf(stderr, "%d %.*s\n", c->status, (int)(length - used), bytes + used);
    const char *type = header(c->head, "\r\ncontent-type:"), *size = header(c->head, "\r\ncontent-length:");
    const char *connection = header(c->head, "\r\nconnection:"), *coding = header(c->head, "\r\ntransfer-encoding:");
    c->stream = type && !strncasecmp(type, "text/event-stream", 17);
    c->last_answer = connection && !strncasecmp(connection, "close", 5);
    c->left = coding ? 0 : size ? strtoul(size, NULL, 10) : SIZE_MAX;
    c->state = coding ? CHUNK_SIZE : BODY;
    c->line_is_empty = true;
    return used;
}

static int hex(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void read_chunk_line(Connection *c, char byte) {
    if (byte == '\n') {
        if (c->state == CHUNK_SIZE) c->state = c->left ? CHUNK_DATA : TRAILER;
        else if (c->state == CHUNK_END) c->state = CHUNK_SIZE;
        else if (c->line_is_empty) c->state = HEAD;
        c->line_is_empty = true;
    } else if (byte != '\r') {
        c->line_is_empty = false;
        if (c->state == CHUNK_SIZE && hex(byte) >= 0) c->left = c->left * 16 + (size_t)hex(byte);
    }
}

static size_t read_data(Connection *c, const char *bytes, size_t length) {
    size_t used = length < c->left ? length : c->left;
    if (c->stream) read_events(c, bytes, used);
    c->left -= used;
    if (!c->left) c->state = c->state == BODY ? HEAD : CHUNK_END;
    return used;
}

/* Returns true when the answer is complete. */
static bool read_answer(Connection *c, const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        if (c->state == HEAD) at += read_head(c, bytes + at, length - at);
        else if (c->state == BODY || c->state == CHUNK_DATA) at += read_data(c, bytes + at, length - at);
        else read_chunk_line(c, bytes[at++]);
        if (c->state == BODY && !c->left) c->state = HEAD;
        if (c->state == HEAD && c->status && at == length) return true;
        if (c->state == HEAD && c->status) die("bytes after the end of an answer");
    }
    return false;
}

static void read_some(Connection *c) {
    static char bytes[RECEIVE_BYTES];
    ssize_t length = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) {
        bool whole = length == 0 && c->state == BODY && c->left > SIZE_MAX / 2;
        c->last_answer = true;
        if (whole) finish(c);
        else give_up(c, &broken);
        return;
    }
    bytes_read += length;
    if (!c->answered) note(&first_bytes, now_us() - c->start_us);
    c->answered = true;
    if (c->to_abort) give_up(c, &aborted);
    else if (read_answer(c, bytes, (size_t)length)) finish(c);
}

/* ---- all of them ---- */

static void write_request(const char *path, const char *body_file, char **headers) {
    size_t length;
    char *body = read_whole(body_file, &length);
    request = must(malloc(length + HEAD_BYTES_MAX));
    int at = sprintf(request, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n", path, port);
    for (; *headers; headers++) at += sprintf(request + at, "%s\r\n", *headers);
    at += sprintf(request + at, "Content-Length: %zu\r\n\r\n", length);
    memcpy(request + at, body, length);
    request_length = (size_t)at + length;
}

static void run(int connections) {
    Connection *all = must(calloc((size_t)connections, sizeof *all));
    struct epoll_event ready[EVENTS_PER_WAIT];
    active = connections;
    for (int i = 0; i < connections; i++) all[i].fd = -1, open_connection(&all[i]);
    for (int i = 0; i < connections; i++) start_request(&all[i]);
    while (active && now_us() < stop_us + DRAIN_S_MAX * 1000000LL) {
        int count = epoll_wait(epoll, ready, EVENTS_PER_WAIT, 100);
        for (int i = 0; i < count; i++) {
            Connection *c = ready[i].data.ptr;
            if (ready[i].events & EPOLLOUT) send_rest(c);
            if (ready[i].events & ~(uint32_t)EPOLLOUT) read_some(c);
        }
    }
}

int main(int argc, char **argv) {
    double seconds = 3;
    for (int option; (option = getopt(argc, argv, "s:n:a:")) != -1;) {
        if (option == 's') seconds = atof(optarg);
        else if (option == 'n') requests_max = atol(optarg);
        else if (option == 'a') abort_every = atol(optarg);
        else return 2;
    }
    if (argc - optind < 4) {
        fprintf(stderr, "usage: load [-s SECONDS] [-n REQUESTS] [-a N] PORT PATH CONNECTIONS BODY_FILE [HEADER...]\n");
        return 2;
    }
    argv += optind;
    port = atoi(argv[0]);
    signal(SIGPIPE, SIG_IGN);
    epoll = epoll_create1(0);
    write_request(argv[1], argv[3], argv + 4);
    int64_t begin_us = now_us();
    stop_us = begin_us + (int64_t)(seconds * 1e6);
    run(atoi(argv[2]));
    printf("{\"seconds\": %.3f, \"completed\": %ld, \"refused\": %ld, \"broken\": %ld, \"aborted\": %ld, \"unfinished\": %d, "
           "\"chunks\": %ld, \"bytes\": %ld",
           (double)(now_us() - begin_us) / 1e6, completed, refused, broken, aborted, active, chunks, bytes_read);
    print_times("total", &totals);
    print_times("first_byte", &first_bytes);
    print_times("chunk", &chunk_delays);
    puts("}");
}
