// TLS between a channel of ours and OpenSSL's own client, in memory; and certificates that change while a
// server runs.

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <fstream>

#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "tls/channel.h"
#include "tls/files.h"

namespace holdfast::tls {
namespace {

struct Pair {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ~Pair() {
    EVP_PKEY_free(key);
    X509_free(certificate);
  }
};

// Signed by itself, or by `above`.
void make(Pair& pair, const char* name, const Pair* above = nullptr) {
  X509_set_version(pair.certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(pair.certificate), above != nullptr ? 2 : 1);
  X509_gmtime_adj(X509_getm_notBefore(pair.certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(pair.certificate), 3600);
  X509_set_pubkey(pair.certificate, pair.key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(pair.certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(pair.certificate,
                       X509_get_subject_name(above != nullptr ? above->certificate : pair.certificate));
  if (above == nullptr) {
    X509_EXTENSION* may_sign =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(pair.certificate, may_sign, -1);
    X509_EXTENSION_free(may_sign);
  }
  X509_sign(pair.certificate, above != nullptr ? above->key : pair.key, EVP_sha256());
}

void write(const Pair& pair, const std::filesystem::path& certificate, const std::filesystem::path& key) {
  FILE* file = std::fopen(certificate.c_str(), "w");
  PEM_write_X509(file, pair.certificate);
  std::fclose(file);
  file = std::fopen(key.c_str(), "w");
  PEM_write_PrivateKey(file, pair.key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    make(server_, "holdfast.test");
    write(server_, folder_ / "cert.pem", folder_ / "key.pem");
    make(authority_, "clients");
    write(authority_, folder_ / "ca.pem", folder_ / "ca-key.pem");
  }
  FilesOptions options() {
    FilesOptions out;
    out.certificate = folder_ / "cert.pem";
    out.key = folder_ / "key.pem";
    out.protocol = "h2";
    out.clock = &clock_;
    out.complain = [this](const std::string& message) { said_.push_back(message); };
    return out;
  }

  fixture::TemporaryDirectory folder_;
  fixture::ManualClock clock_;
  std::vector<std::string> said_;
  Pair server_, authority_;
};

// OpenSSL's client, over memory.
class Client {
 public:
  explicit Client(const Pair* certificate = nullptr, const char* protocol = "\x02h2") {
    SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(protocol),
                            static_cast<unsigned>(std::string_view(protocol).size()));
    ssl_ = SSL_new(context_);
    if (certificate != nullptr) {
      SSL_use_certificate(ssl_, certificate->certificate);
      SSL_use_PrivateKey(ssl_, certificate->key);
    }
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
  }
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }

  // Carries bytes both ways until nothing moves. What the channel said is the answer.
  Status talk(Channel& channel, std::string& heard, std::string_view say = {}) {
    for (bool moved = true; moved;) {
      moved = false;
      if (!SSL_is_init_finished(ssl_)) (void)SSL_do_handshake(ssl_);
      if (SSL_is_init_finished(ssl_) && !say.empty()) {
        SSL_write(ssl_, say.data(), static_cast<int>(say.size()));
        say = {};
      }
      char piece[4096];
      for (int got; (got = BIO_read(SSL_get_wbio(ssl_), piece, 7)) > 0;) {  // small pieces: cut anywhere
        moved = true;
        if (Status failed = channel.receive({piece, static_cast<std::size_t>(got)}, heard); !failed.ok())
          return failed;
      }
      std::string out;
      channel.take(out);
      moved = moved || !out.empty();
      BIO_write(SSL_get_rbio(ssl_), out.data(), static_cast<int>(out.size()));
      for (int got; (got = SSL_read(ssl_, piece, sizeof piece)) > 0;)
        read_.append(piece, static_cast<std::size_t>(got));
    }
    return {};
  }
  const std::string& read() const { return read_; }
  bool is_connected() const { return SSL_is_init_finished(ssl_) == 1; }
  std::string server_name() const { return peer_name_of(SSL_get0_peer_certificate(ssl_)); }

 private:
  static std::string peer_name_of(X509* certificate) {
    char name[100] = "";
    if (certificate != nullptr)
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    return name;
  }
  SSL_CTX* context_ = SSL_CTX_new(TLS_client_method());
  SSL* ssl_ = nullptr;
  std::string read_;
};

TEST_F(TlsTest, CarriesBytesBothWays) {
  auto files = Files::open(options());
  ASSERT_TRUE(files) << files.error().to_string();
  Channel channel((*files)->context());
  channel.send("before the handshake; ");
  Client client;
  std::string heard;
  ASSERT_TRUE(client.talk(channel, heard, "hello").ok());
  EXPECT_EQ(heard, "hello");
  channel.send(std::string(100'000, 'x'));
  ASSERT_TRUE(client.talk(channel, heard, std::string(100'000, 'y')).ok());
  EXPECT_EQ(client.read(), "before the handshake; " + std::string(100'000, 'x'));
  EXPECT_EQ(heard, "hello" + std::string(100'000, 'y'));
  EXPECT_EQ(channel.peer_name(), "") << "no certificate was shown";
}

TEST_F(TlsTest, WhatIsNoTlsIsRefused) {
  auto files = Files::open(options());
  std::string heard;
  Channel channel((*files)->context());
  EXPECT_FALSE(channel.receive("GET / HTTP/1.1\r\nHost: x\r\n\r\n", heard).ok());
  EXPECT_FALSE(channel.receive("more", heard).ok());
  EXPECT_EQ(heard, "");
  Channel other((*files)->context());
  Client wrong(nullptr, "\x08http/1.1");
  EXPECT_FALSE(wrong.talk(other, heard).ok()) << "another protocol than the port's";
}

TEST_F(TlsTest, AClientIsNamedByACertificateOfItsAuthorityAlone) {
  FilesOptions with_clients = options();
  with_clients.client_ca = folder_ / "ca.pem";
  auto files = Files::open(with_clients);
  ASSERT_TRUE(files) << files.error().to_string();
  std::string heard;
  Pair known;
  make(known, "worker-7", &authority_);
  Channel channel((*files)->context());
  Client client(&known);
  ASSERT_TRUE(client.talk(channel, heard, "hi").ok());
  EXPECT_EQ(channel.peer_name(), "worker-7");

  Pair forged, others;
  make(others, "clients");  // the same name, another key
  make(forged, "worker-7", &others);
  Channel second((*files)->context());
  Client liar(&forged);
  EXPECT_FALSE(liar.talk(second, heard, "hi").ok());
  EXPECT_EQ(second.peer_name(), "");

  Channel third((*files)->context());
  Client nobody;
  ASSERT_TRUE(nobody.talk(third, heard, "hi").ok()) << "who shows none may have a key";
  EXPECT_EQ(third.peer_name(), "");
}

TEST_F(TlsTest, ACertificateThatChangesIsReadAgain) {
  auto files = Files::open(options());
  const auto name = [&] {
    Channel channel((*files)->context());
    Client client;
    std::string heard;
    EXPECT_TRUE(client.talk(channel, heard, "x").ok());
    return client.server_name();
  };
  EXPECT_EQ(name(), "holdfast.test");
  const auto change = [&](auto&& how) {
    how();
    // Files of the same moment look alike.
    const auto later = std::filesystem::last_write_time(folder_ / "cert.pem") + std::chrono::seconds(5);
    std::filesystem::last_write_time(folder_ / "cert.pem", later);
  };
  Pair renewed;
  make(renewed, "renewed.test");
  change([&] { write(renewed, folder_ / "cert.pem", folder_ / "key.pem"); });
  EXPECT_EQ(name(), "holdfast.test") << "within the second nobody looks";
  clock_.ns += 2'000'000'000;
  EXPECT_EQ(name(), "renewed.test");

  change([&] { std::ofstream(folder_ / "cert.pem") << "half a certificate"; });
  clock_.ns += 2'000'000'000;
  EXPECT_EQ(name(), "renewed.test") << "what cannot be read changes nothing";
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_NE(said_.front().find("cert.pem"), std::string::npos);
  clock_.ns += 2'000'000'000;
  EXPECT_EQ(name(), "renewed.test");
  EXPECT_EQ(said_.size(), 1u) << "said once";
  EXPECT_FALSE((*files)->reload().ok());
}

TEST_F(TlsTest, FilesThatDoNotFitAreNamed) {
  Pair other;
  make(other, "other");
  write(other, folder_ / "other.pem", folder_ / "other-key.pem");
  FilesOptions wrong = options();
  wrong.key = folder_ / "other-key.pem";
  EXPECT_NE(Files::open(wrong).error().message().find("other-key.pem"), std::string::npos);
  wrong = options();
  wrong.certificate = folder_ / "nowhere.pem";
  EXPECT_NE(Files::open(wrong).error().message().find("nowhere.pem"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::tls
