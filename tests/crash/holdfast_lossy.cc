// The program users run, on a disk that keeps nothing which was not synced. The program itself has no switch
// for that: this main() is the difference, and only the crash loop and `./dev judge flows` run it.

#include "app/cli.h"
#include "kill_points.h"
#include "lossy_disk.h"

int main(int argc, char** argv) {
  holdfast::crash::set_kill_point();
  holdfast::crash::LossyDisk disk = holdfast::crash::lossy_disk();
  return holdfast::app::run_command_line(argc, argv,
                                         {std::move(disk.file_system), std::move(disk.sqlite_vfs)});
}
