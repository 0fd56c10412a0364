// SPDX-License-Identifier: BSD-2-Clause
// How sh quotes: words that any shell reads as the bytes they were made of, and places where such a
// word is safe. Both are held against the shells of this system.

#include "command/shell.h"

#include "base/buf.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// TEXTS=N in the environment generates so many, SEED=N others.
#define TEXTS_DEFAULT 400

// Descriptor that shows what ran as code.
#define WITNESS 9

static const char *const shells[] = {"/bin/sh", "/bin/bash"};

// Records that mean something to a shell.
static const char *const hostile[] = {
    "",        " ",     "a b",      "'",         "''",          "'a'",        "\"",
    "a'b\"c'", "\\",    "\\'",      "\\\\n",     "$(echo BAD)", "`echo BAD`", "${HOME}",
    "$HOME",   "*",     "~",        "[a-z]*",    "-n",          "--help",     "a\nb",
    "\n",      "\t",    "#comment", ";echo BAD", "&",           "|cat",       ">/dev/full",
    "!!",      "{a,b}", "=x",       "\xff\xfe",  "\x01",        "%s%n",       "');echo BAD;'",
    "$'\\n'",  "-",     "a\\\nb",
};

static long number(const char *name, long standard)
{
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : standard;
}

// Run `text` in a shell. Its output goes to *output, ended by NUL. Did something write to WITNESS?
static bool run(const char *shell, const char *text, struct buf *output)
{
    int out = memfd_create("out", 0), witness = memfd_create("witness", 0);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        dup2(witness, WITNESS);
        alarm(10);
        execl(shell, shell, "-c", text, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
    output->len = 0;
    off_t size = lseek(out, 0, SEEK_END);
    if (buf_reserve(output, (size_t)size + 1) != 0 ||
        pread(out, output->bytes, (size_t)size, 0) != size) {
        abort();
    }
    output->len = (size_t)size;
    output->bytes[size] = '\0';
    bool wrote = lseek(witness, 0, SEEK_END) > 0;
    close(out);
    close(witness);
    return wrote;
}

// A text on one line, for the names of tests.
static const char *shown(const char *text)
{
    static char line[256];
    size_t len = 0;
    for (; *text != '\0' && len < sizeof(line) - 3; text++) {
        line[len++] = *text == '\n' ? '\\' : *text == '\t' ? ' ' : *text;
        if (*text == '\n') {
            line[len++] = 'n';
        }
    }
    line[len] = '\0';
    return line;
}

static void append(struct buf *buf, const char *text)
{
    if (buf_append(buf, text, strlen(text)) != 0) {
        abort();
    }
}

// --- quoting

static bool shell_reads_back(const struct buf *word, const char *bytes, size_t len)
{
    bool same = true;
    for (size_t i = 0; i < LENGTH(shells); i++) {
        struct buf text = {0}, output = {0};
        append(&text, "printf '%s' ");
        if (buf_append(&text, word->bytes, word->len) != 0) {
            abort();
        }
        append(&text, "; printf .");
        if (buf_append(&text, "", 1) != 0) {
            abort();
        }
        if (access(shells[i], X_OK) == 0) {
            run(shells[i], text.bytes, &output);
            same &= output.len == len + 1 && memcmp(output.bytes, bytes, len) == 0;
        }
        buf_free(&text);
        buf_free(&output);
    }
    return same;
}

static void test_quoting(void)
{
    static const struct {
        const char *bytes, *always, *if_needed;
    } cases[] = {
        {"", "''", "''"},
        {"plain", "'plain'", "plain"},
        {"a/b-c_d.e+1", "'a/b-c_d.e+1'", "a/b-c_d.e+1"},
        {"a b", "'a b'", "'a b'"},
        {"*", "'*'", "'*'"},
        {"$x", "'$x'", "'$x'"},
        {"a'b", "'a'\\''b'", "'a'\"'\"'b'"},
        {"'", "''\\'''", "\"'\""},
        {"'a'", "''\\''a'\\'''", "\"'\"'a'\"'\""},
        {"~", "'~'", "'~'"},
        {"a=b", "'a=b'", "'a=b'"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct buf always = {0}, if_needed = {0};
        size_t len = strlen(cases[i].bytes);
        OK(shell_quote(&always, cases[i].bytes, len) == 0 &&
               always.len == strlen(cases[i].always) &&
               memcmp(always.bytes, cases[i].always, always.len) == 0,
           "'%s' is quoted as %s", cases[i].bytes, cases[i].always);
        OK(shell_quote_if_needed(&if_needed, cases[i].bytes, len) == 0 &&
               if_needed.len == strlen(cases[i].if_needed) &&
               memcmp(if_needed.bytes, cases[i].if_needed, if_needed.len) == 0,
           "and where it needs it as %s", cases[i].if_needed);
        buf_free(&always);
        buf_free(&if_needed);
    }
    for (size_t i = 0; i < LENGTH(hostile); i++) {
        struct buf always = {0}, if_needed = {0};
        size_t len = strlen(hostile[i]);
        OK(shell_quote(&always, hostile[i], len) == 0 && shell_reads_back(&always, hostile[i], len),
           "hostile record %zu comes through quotes", i);
        OK(shell_quote_if_needed(&if_needed, hostile[i], len) == 0 &&
               shell_reads_back(&if_needed, hostile[i], len),
           "and through those that it needs");
        buf_free(&always);
        buf_free(&if_needed);
    }
}

// --- places

// What stands at each {} of a text: p for plain, q for quoted, u for unclear.
static void read_places(const char *text, char *places)
{
    struct shell_reader reader;
    shell_reader_init(&reader, text);
    for (const char *at = text; (at = strstr(at, "{}")) != NULL; at += 2) {
        enum shell_place place = shell_read_to(&reader, (size_t)(at - text));
        *places++ = place == SHELL_PLAIN ? 'p' : place == SHELL_QUOTED ? 'q' : 'u';
        if (place != SHELL_PLAIN) {
            break; // one that is not plain refuses the text
        }
        shell_read_word(&reader, 2);
    }
    *places = '\0';
}

static const struct {
    const char *text, *places;
} places[] = {
    {"echo {}", "p"},
    {"echo {} {}", "pp"},
    {"x={}", "p"},
    {"x={}; echo \"$x\"", "p"},
    {"a{}b", "p"},
    {"--file={}.gz", "p"},
    {"cat <{} >{}.out", "pp"},
    {"echo 'a' {}", "p"},
    {"echo \"a\" {}", "p"},
    {"echo \\' {}", "p"},
    {"echo \\\\ {}", "p"},
    {"echo \\{}", "q"}, // the backslash would quote the quote
    {"echo a#{}", "p"},
    {"echo # {}", "q"},
    {"echo #\n{}", "p"},
    {"#{}", "q"},
    {"# it's\necho {}", "p"},
    {"echo '{}'", "q"},
    {"echo \"{}\"", "q"},
    {"echo \"a $(echo {}) b\"", "p"},
    {"echo \"a $(echo '{}') b\"", "q"},
    {"echo \"a $(echo \"{}\") b\"", "q"},
    {"echo $(echo {})", "p"},
    {"echo $(echo $(echo {}))", "p"},
    {"echo $(echo) '{}'", "q"},
    {"(echo {})", "p"},
    {"{ echo {}; }", "p"},
    {"echo `echo {}`", "q"},
    {"echo ${x:-{}}", "q"},
    {"echo ${x} {}", "p"},
    {"echo ${x:-'}'} {}", "p"},
    {"echo \"${x:-'}\" {}", "u"}, // shells differ
    {"echo ${#x} {}", "p"},
    {"echo $# {}", "p"},
    {"echo $$ {}", "p"},
    {"echo ${} {}", "q"},
    {"echo $'a' {}", "u"},
    {"echo $\"a\" {}", "p"},
    {"echo ${}", "q"},
    {"echo $(({}))", "u"},
    {"echo $((1 + 2)) {}", "p"},
    {"((x = 1)); echo {}", "p"},
    {"echo $((1 << 2)) {}", "u"},
    {"cat <<E\n{}\nE", "q"},
    {"cat <<'E'\n{}\nE", "q"},
    {"cat <<E\nx\nE\necho {}", "p"},
    {"cat <<-E\nx\n\tE\necho {}", "p"},
    {"cat <<E\n\tE\n{}\nE", "q"},
    {"cat <<E {}\nx\nE", "p"},
    {"cat <<E; echo {}\nit's\nE\necho {}", "pp"},
    {"cat <<A <<B\nA\n{}\nB", "q"},
    {"cat <<A <<B\nA\nB\n{}", "p"},
    {"cat <<{}", "q"},
    {"cat <<E$x\n{}", "u"},
    {"cat <<<{}", "p"},
    {"case x in x) echo {};; esac", "p"},
    {"echo $(case x in x) echo {};; esac)", "u"},
    {"if true; then echo {}; fi", "p"},
    {"for i in {}; do :; done", "p"},
    {"f() { echo {}; }; f", "p"},
    {"a 'b\" c' \"d' e\" {}", "p"},
    {"a '\\' {}", "p"},
    {"a \"\\\" {}", "q"},
    {"a \"\\\\\" {}", "p"},
    {"echo 'no end {}", "q"},
    {"{}", "p"},
    {"! {}", "p"},
    {"echo a\\\n {}", "p"},
    {"[ -e {} ] && echo {}", "pp"},
    {"test {} = '{}'", "pq"},
};

static void test_places(void)
{
    for (size_t i = 0; i < LENGTH(places); i++) {
        char found[16];
        read_places(places[i].text, found);
        OK(strcmp(found, places[i].places) == 0, "places of << %s >> are %s (they are %s)",
           shown(places[i].text), places[i].places, found);
    }
}

// --- places that were called plain, in the shells of this system

static unsigned seed = 1;

static unsigned below(unsigned n)
{
    return (unsigned)rand_r(&seed) % n;
}

static const char *const parts[] = {
    "{}",     "{}",          "{}",    "'",  "'",   "\"",   "\"",    "`",           "$(",      ")",
    "(",      "${x",         "${x:-", "}",  "$",   "\\",   "#",     "\n",          " ",       " ",
    " ",      ": ",          "echo ", "a",  "<<E", "<<-E", "<<'E'", "\nE\n",       "\n\tE\n", "\n",
    "$((1))", "((",          "))",    ";",  "&&",  "||",   "|",     "case x in x", ") ",      ";; ",
    "esac ",  "if :; then ", "fi ",   "x=", "$x",  "\\\n", "<",     "{ ",          " }",      "$'",
    "$\"",    "<<<",         "=",     "[",  "!",
};

static void make_text(struct buf *text)
{
    text->len = 0;
    for (unsigned i = 0, count = 2 + below(10); i < count; i++) {
        append(text, parts[below(LENGTH(parts))]);
    }
    append(text, "{}");
    if (buf_append(text, "", 1) != 0) {
        abort();
    }
}

// Records that run as code if a shell takes the quotes around them for something else.
static const char *const payloads[] = {
    "$(echo BAD >&9)",     "`echo BAD >&9`",    ";echo BAD >&9;",
    "\necho BAD >&9\n",    "'$(echo BAD >&9)'", "\"$(echo BAD >&9)\"",
    "\nE\necho BAD >&9\n", ")echo BAD >&9;(",   "}$(echo BAD >&9)",
};

// The text with a quoted word for each {}.
static void fill(struct buf *filled, const char *text, const char *payload)
{
    filled->len = 0;
    for (const char *at; (at = strstr(text, "{}")) != NULL; text = at + 2) {
        if (buf_append(filled, text, (size_t)(at - text)) != 0 ||
            shell_quote(filled, payload, strlen(payload)) != 0) {
            abort();
        }
    }
    append(filled, text);
    if (buf_append(filled, "", 1) != 0) {
        abort();
    }
}

static bool is_safe(const char *text)
{
    bool safe = true;
    for (size_t i = 0; i < LENGTH(payloads); i++) {
        struct buf filled = {0}, output = {0};
        fill(&filled, text, payloads[i]);
        for (size_t j = 0; j < LENGTH(shells) && safe; j++) {
            if (access(shells[j], X_OK) == 0 && run(shells[j], filled.bytes, &output)) {
                printf("# %s runs code in << %s >>\n", shells[j], shown(filled.bytes));
                safe = false;
            }
        }
        buf_free(&filled);
        buf_free(&output);
    }
    return safe;
}

static bool all_plain(const char *found)
{
    return found[0] != '\0' && found[strspn(found, "p")] == '\0';
}

static void test_generated(void)
{
    struct buf text = {0};
    unsigned plain = 0, wanted = (unsigned)number("TEXTS", TEXTS_DEFAULT);
    bool safe = true;
    seed = (unsigned)number("SEED", 1);
    for (unsigned i = 0; i < wanted && safe; i++) {
        char found[16];
        make_text(&text);
        read_places(text.bytes, found);
        if (all_plain(found) && strpbrk(text.bytes, "'\"`$#<\\(") != NULL) {
            plain++;
            safe = is_safe(text.bytes);
        }
    }
    OK(safe, "no record runs as code in %u generated texts (SEED=%ld)", plain, number("SEED", 1));
    OK(plain > wanted / 20, "enough of the %u texts were plain", wanted);
    buf_free(&text);
}

static void test_known(void)
{
    for (size_t i = 0; i < LENGTH(places); i++) {
        if (all_plain(places[i].places)) {
            OK(is_safe(places[i].text), "no record runs as code in << %s >>",
               shown(places[i].text));
        }
    }
}

// --- shells among words

static void test_command_text(void)
{
    static const struct {
        const char *words[8];
        size_t text;
    } cases[] = {
        {{"sh", "-c", "x"}, 2},
        {{"/bin/sh", "-c", "x"}, 2},
        {{"bash", "-c", "x"}, 2},
        {{"/usr/bin/zsh", "-c", "x"}, 2},
        {{"sh", "-ec", "x"}, 2},
        {{"sh", "-ce", "x"}, 2},
        {{"sh", "-e", "-c", "x"}, 3},
        {{"sh", "-c", "-e", "x"}, 3},
        {{"sh", "-c", "--", "x"}, 3},
        {{"sh", "+e", "-c", "x"}, 3},
        {{"bash", "-o", "pipefail", "-c", "x"}, 4},
        {{"bash", "-eo", "pipefail", "-c", "x"}, 4},
        {{"bash", "--norc", "-c", "x"}, 3},
        {{"bash", "--rcfile", "f", "-c", "x"}, 4},
        {{"sh", "-c"}, 0},
        {{"sh", "script", "-c"}, 0},
        {{"sh"}, 0},
        {{"shred", "-c", "x"}, 0},
        {{"gcc", "-c", "x"}, 0},
        {{"/opt/sh/gcc", "-c", "x"}, 0},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        size_t count = 0;
        while (cases[i].words[count] != NULL) {
            count++;
        }
        char *words[8];
        memcpy(words, cases[i].words, sizeof(words));
        OK(shell_command_text(words, count, 0) == cases[i].text,
           "the text of '%s %s ...' is word %zu", words[0], count > 1 ? words[1] : "",
           cases[i].text);
    }
    char *env[] = {(char[]){"env"}, (char[]){"sh"}, (char[]){"-c"}, (char[]){"x"}};
    OK(shell_command_text(env, 4, 0) == 0 && shell_command_text(env, 4, 1) == 3,
       "a shell can stand behind other words");
}

int main(void)
{
    test_quoting();
    test_places();
    test_known();
    test_generated();
    test_command_text();
    return tap_done();
}
