#pragma once

// Gate: the one door of HTTP and gRPC. What a client shows becomes a Caller, and what it wants is allowed or
// not; whatever shows nothing, or what does not hold, gets in nowhere, unless the server is open: on
// loopback, as long as nobody has set it up, every process of the machine is the local operator, as if there
// were no gate.
//
// Owner: app. Thread-safe; never blocks on anything but the directory's own changes.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "identity/directory.h"

namespace holdfast::identity {

inline constexpr std::string_view kLocalName = "local";

enum class GateMode : std::uint8_t {
  kAuto,      // open until somebody can get in who may let others in
  kRequired,  // never open
  kOff,       // open whatever: loopback only
};

// What came with a call. Empty: it was not there.
struct Shown {
  std::string_view authorization;       // the header, or the metadata of that name
  std::string_view session;             // the cookie
  std::string_view certificate;         // the common name of the client's, verified
  std::optional<std::uint32_t> user{};  // of this machine, as the kernel says: over a Unix socket
};

// Users of this machine, by number, who need show nothing over a Unix socket.
struct LocalUsers {
  std::optional<std::uint32_t> own;  // the server's: may do everything, as root may; none: nobody is
  std::map<std::uint32_t, std::string> principals;  // the others, and who they are
};

class Gate {
 public:
  // `local_key`: what programs of the server's own user show; empty: none.
  Gate(Directory& directory, GateMode mode, std::string local_key, LocalUsers users = {})
      : directory_(directory), mode_(mode), local_key_(std::move(local_key)), users_(std::move(users)) {}

  bool is_open() const {
    return mode_ == GateMode::kOff || (mode_ == GateMode::kAuto && !directory_.is_set_up());
  }
  // UNAUTHENTICATED: it showed what does not hold, or is of a user who is nobody here. Nothing shown is a
  // caller who is nobody, or local where the gate is open. A session that does not hold counts as nothing
  // shown: a browser sends it whether or not.
  Result<Caller> admit(const Shown& shown) const;
  // UNAUTHENTICATED or PERMISSION_DENIED. Asked again for what stays open, it says what is true then.
  Status check(const Caller& caller, std::string_view namespace_name, Permission permission) const;

  Directory& directory() const { return directory_; }

 private:
  // `credential`: the one that says so; empty: the gate is open.
  Caller local(std::string credential) const;
  Result<Caller> admit_user(std::uint32_t user) const;

  Directory& directory_;
  const GateMode mode_;
  const std::string local_key_;
  const LocalUsers users_;
};

}  // namespace holdfast::identity
