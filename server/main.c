// SPDX-License-Identifier: Apache-2.0
// The program virga: picks the sub-command.
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "server/commands.h"

static const char help[] =
    "Usage: virga COMMAND [ARGUMENT…]\n"
    "\n"
    "Turns numerical weather forecasts into 3D pictures that move, in a browser,\n"
    "straight from the model's own files.\n"
    "\n"
    "Commands:\n"
    "  serve [PATH…]   show forecast files in the browser\n"
    "  info PATH…      say what is in forecast files, and what cannot be shown and why\n"
    "  sample PATH     give the value at a place, beside the file's own number\n"
    "  view PATH       print a view of a forecast: a picture as a document, to start from\n"
    "  export VIEW     draw pictures and image sequences\n"
    "  backup          copy what a server remembers\n"
    "  token           make, list and revoke what people sign in with\n"
    "  demo            write a demonstration forecast\n"
    "\n"
    "  virga COMMAND --help   more about a command\n"
    "  virga --version        the version\n"
    "\n"
    "Try it:\n"
    "  virga demo --out /tmp/demo\n"
    "  virga serve /tmp/demo         then open http://127.0.0.1:8080/\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong use.\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"serve", command_serve}, {"info", command_info}, {"sample", command_sample}, {"view", command_view}, {"export", command_export}, {"backup", command_backup}, {"token", command_token}, {"demo", command_demo}};

static int print(const char *text) { return fputs(text, stdout) < 0 || fflush(stdout) ? EXIT_FAILED : EXIT_DONE; }

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);  // a reader of our output, a client or a child may go: that write fails, no more
    if (argc < 2) {
        fputs(help, stderr);
        return EXIT_WRONG_USE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) return print(help);
    if (!strcmp(argv[1], "--version")) return print("virga " VIRGA_VERSION "\n");
    fprintf(stderr, "virga: there is no command \"%s\"; the commands are serve, info, sample, view, export, backup, token and demo\nTry \"virga --help\".\n", argv[1]);
    return EXIT_WRONG_USE;
}
