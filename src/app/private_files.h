#pragma once

// What Holdfast keeps is its user's alone: folders 0700, files 0600. New ones are made so because the program
// runs with that umask (cli.cc); these functions see to those that are there. Symbolic links are their
// maker's business: they are neither followed nor changed. Any thread; nothing is kept.

#include <filesystem>

#include "holdfast/status.h"

namespace holdfast::app {

// kPermissionDenied: something in `folder`, or it itself, belongs to another user, who could read and replace
// it. Changes nothing.
Status check_owner(const std::filesystem::path& folder);

// Takes from `folder`, and from all in it, what group and others may do.
Status make_private(const std::filesystem::path& folder);

}  // namespace holdfast::app
