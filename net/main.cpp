#include "net/command_line.hpp"

int main(int argc, char** argv) { return headway::run_command_line(argc, argv); }
