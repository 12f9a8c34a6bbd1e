// SPDX-License-Identifier: Apache-2.0
// The sub-commands. Each gets the arguments after its name in argv[1 …] (argv[0] is the name) and returns the exit
// status: 0 done, 1 failed, 2 wrong use. Messages go to stderr and say what, where and what to do. Main thread.
#ifndef VIRGA_SERVER_COMMANDS_H
#define VIRGA_SERVER_COMMANDS_H

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2 };

int command_serve(int argc, char **argv);
int command_info(int argc, char **argv);
int command_sample(int argc, char **argv);
int command_view(int argc, char **argv);
int command_export(int argc, char **argv);
int command_backup(int argc, char **argv);
int command_token(int argc, char **argv);
int command_demo(int argc, char **argv);

#endif
