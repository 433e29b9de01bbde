// A server's socket in the file system: whose it is, what is left there, who is at the other end.

#include "os/unix_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace holdfast::os {
namespace {

namespace fs = std::filesystem;

class UnixSocketTest : public ::testing::Test {
 protected:
  UnixSocketTest() {
    std::string name = (fs::temp_directory_path() / "unix-socket-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~UnixSocketTest() override { fs::remove_all(folder_); }

  std::string path() const { return (folder_ / "holdfast.sock").string(); }
  static int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
  }
  mode_t mode() const {
    struct stat there{};
    EXPECT_EQ(::lstat(path().c_str(), &there), 0);
    return there.st_mode & 07777;
  }

  fs::path folder_;
};

TEST_F(UnixSocketTest, AnAddressNamesAPathOrIsAnotherKind) {
  EXPECT_EQ(unix_path("unix:/run/x.sock"), "/run/x.sock");
  EXPECT_EQ(unix_path("unix:"), "");
  EXPECT_FALSE(unix_path("127.0.0.1:80"));
}

TEST_F(UnixSocketTest, IsItsUsersAloneAndTellsWhoCalls) {
  auto socket = UnixSocket::listen(path(), UnixSocket::Access::kOwner);
  ASSERT_TRUE(socket.has_value()) << socket.error().message();
  EXPECT_EQ(mode(), 0600U);
  const int client = connect_to(path());
  ASSERT_GE(client, 0);
  const int listening = socket->release();
  const int served = ::accept(listening, nullptr, nullptr);
  EXPECT_EQ(peer_user(served), ::geteuid());
  for (const int fd : {client, served, listening}) ::close(fd);
}

TEST_F(UnixSocketTest, IsEveryUsersWhenThatIsAskedFor) {
  auto socket = UnixSocket::listen(path(), UnixSocket::Access::kEveryUser);
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(mode(), 0666U);
}

TEST_F(UnixSocketTest, GoesWithItsServerAndWhatAKilledOneLeftIsReplaced) {
  {
    auto socket = UnixSocket::listen(path(), UnixSocket::Access::kOwner);
    ASSERT_TRUE(socket.has_value());
    EXPECT_EQ(UnixSocket::listen(path(), UnixSocket::Access::kOwner).error().code(), Code::kUnavailable);
    const fs::path kept = folder_ / "left";
    fs::rename(path(), kept);  // as a kill would leave it: nobody listens and nobody has removed it
    ::close(socket->release());
    fs::rename(kept, path());
    auto second = UnixSocket::listen(path(), UnixSocket::Access::kOwner);
    ASSERT_TRUE(second.has_value()) << second.error().message();
    EXPECT_TRUE(fs::exists(path()));
  }
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(UnixSocketTest, WhatIsNoSocketStays) {
  std::ofstream(path()) << "mine";
  EXPECT_EQ(UnixSocket::listen(path(), UnixSocket::Access::kOwner).error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(fs::is_regular_file(path()));
}

TEST_F(UnixSocketTest, APathThatIsTooLongIsRefused) {
  const auto refused = UnixSocket::listen(std::string(200, 'x'), UnixSocket::Access::kOwner);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_NE(refused.error().message().find("107"), std::string::npos);
  EXPECT_FALSE(UnixSocket::listen("", UnixSocket::Access::kOwner).has_value());
}

TEST_F(UnixSocketTest, NobodyIsAtTheOtherEndOfWhatIsNoSocket) {
  EXPECT_EQ(peer_user(-1), std::nullopt);
}

}  // namespace
}  // namespace holdfast::os
