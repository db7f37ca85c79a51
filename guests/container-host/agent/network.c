#include "network.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/veth.h>

#define AF_NETLINK_ 16
#define AF_INET_ 2
#define SOCK_RAW_CLOEXEC (3 | O_CLOEXEC)
#define NAME_BYTES 16
#define MODE_SHARED 0444

/** One message to the kernel. */
struct message {
  struct nlmsghdr header;
  u8 body[480];
};

static void *extend(struct message *m, unsigned long bytes) {
  void *at = (u8 *)m + NLMSG_ALIGN(m->header.nlmsg_len);
  m->header.nlmsg_len = (u32)(NLMSG_ALIGN(m->header.nlmsg_len) + bytes);
  return at;
}

static void begin(struct message *m, u16 type, u16 flags) {
  memset(m, 0, sizeof *m);
  m->header.nlmsg_len = NLMSG_HDRLEN;
  m->header.nlmsg_type = type;
  m->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
}

static struct rtattr *attribute(struct message *m, u16 type, const void *data, u32 bytes) {
  struct rtattr *attr = extend(m, RTA_LENGTH(bytes));
  attr->rta_type = type;
  attr->rta_len = (u16)RTA_LENGTH(bytes);
  memcpy(RTA_DATA(attr), data, bytes);
  return attr;
}

static void text_attribute(struct message *m, u16 type, const char *text) {
  attribute(m, type, text, (u32)strlen(text) + 1);
}

/** Ends a nested attribute: it holds all that came after it. */
static void end_nest(struct message *m, struct rtattr *nest) {
  m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len);
  nest->rta_len = (u16)((u8 *)m + m->header.nlmsg_len - (u8 *)nest);
  nest->rta_type |= NLA_F_NESTED;
}

static long open_route(void) {
  return sys(__NR_socket, AF_NETLINK_, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
}

/** Sends a message and waits for what the kernel says to it. */
static long ask(long socket, struct message *m) {
  u8 answer[1024] __attribute__((aligned(8)));
  long sent = sys(__NR_sendto, socket, m, m->header.nlmsg_len, 0, 0, 0);
  if (sent < 0) return sent;
  long length = sys(__NR_recvfrom, socket, answer, sizeof answer, 0, 0, 0);
  if (length < 0) return length;
  struct nlmsghdr *header = (struct nlmsghdr *)answer;
  if (length < (long)NLMSG_LENGTH(sizeof(int)) || header->nlmsg_type != NLMSG_ERROR) return -EPROTO;
  return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
}

/** The number of an interface in this namespace, or -errno. */
static long index_of(const char *name) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  if (strlen(name) >= NAME_BYTES) return -EINVAL;
  memcpy(request.ifr_ifrn.ifrn_name, name, strlen(name));
  long fd = sys(__NR_socket, AF_INET_, 2 | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long result = sys(__NR_ioctl, fd, 0x8933 /* SIOCGIFINDEX */, &request);
  close_file(fd);
  return result < 0 ? result : request.ifr_ifru.ifru_ivalue;
}

static long set_up(long route, u32 index) {
  struct message m;
  begin(&m, RTM_NEWLINK, 0);
  struct ifinfomsg *link = extend(&m, sizeof *link);
  link->ifi_index = (int)index;
  link->ifi_flags = link->ifi_change = IFF_UP;
  return ask(route, &m);
}

static long set_address(long route, u32 index, u32 address, u32 prefix) {
  struct message m;
  begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  struct ifaddrmsg *what = extend(&m, sizeof *what);
  what->ifa_family = AF_INET_;
  what->ifa_prefixlen = (u8)prefix;
  what->ifa_index = index;
  attribute(&m, IFA_LOCAL, &address, 4);
  attribute(&m, IFA_ADDRESS, &address, 4);
  u32 broadcast = address;
  for (u32 bit = prefix; bit < 32; bit++) ((u8 *)&broadcast)[bit / 8] |= (u8)(0x80 >> bit % 8);
  attribute(&m, IFA_BROADCAST, &broadcast, 4);
  return ask(route, &m);
}

static long set_gateway(long route, u32 index, u32 gateway) {
  struct message m;
  begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  struct rtmsg *what = extend(&m, sizeof *what);
  what->rtm_family = AF_INET_;
  what->rtm_table = RT_TABLE_MAIN;
  what->rtm_protocol = RTPROT_BOOT;
  what->rtm_scope = RT_SCOPE_UNIVERSE;
  what->rtm_type = RTN_UNICAST;
  attribute(&m, RTA_GATEWAY, &gateway, 4);
  attribute(&m, RTA_OIF, &index, 4);
  return ask(route, &m);
}

long loopback_up(void) {
  long route = open_route();
  if (route < 0) return route;
  long result = set_up(route, 1);
  close_file(route);
  return result;
}

long make_bridge(const char *name, u32 address, u32 prefix) {
  struct message m;
  if (strlen(name) >= NAME_BYTES || prefix > 32) return -EINVAL;
  if (index_of(name) > 0) return 0;
  long route = open_route();
  if (route < 0) return route;
  begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  struct ifinfomsg *link = extend(&m, sizeof *link);
  link->ifi_flags = link->ifi_change = IFF_UP;
  text_attribute(&m, IFLA_IFNAME, name);
  struct rtattr *info = attribute(&m, IFLA_LINKINFO, NULL, 0);
  text_attribute(&m, IFLA_INFO_KIND, "bridge");
  end_nest(&m, info);
  long result = ask(route, &m);
  long index = index_of(name);
  if (result == 0) result = index < 0 ? index : set_address(route, (u32)index, address, prefix);
  close_file(route);
  return result;
}

/** A cable from a bridge of the namespace that `route` is in to eth0 of this one. */
static long plug_in(long route, long bridge, const char *interface) {
  struct message m;
  long here = open_file("/proc/self/ns/net", O_RDONLY, 0);
  if (here < 0) return here;
  u32 descriptor = (u32)here, master = (u32)bridge;
  begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  struct ifinfomsg *link = extend(&m, sizeof *link);
  link->ifi_flags = link->ifi_change = IFF_UP;
  text_attribute(&m, IFLA_IFNAME, interface);
  attribute(&m, IFLA_MASTER, &master, 4);
  struct rtattr *info = attribute(&m, IFLA_LINKINFO, NULL, 0);
  text_attribute(&m, IFLA_INFO_KIND, "veth");
  struct rtattr *data = attribute(&m, IFLA_INFO_DATA, NULL, 0);
  struct rtattr *peer = attribute(&m, VETH_INFO_PEER, NULL, 0);
  extend(&m, sizeof(struct ifinfomsg));
  text_attribute(&m, IFLA_IFNAME, "eth0");
  attribute(&m, IFLA_NET_NS_FD, &descriptor, 4);
  end_nest(&m, peer);
  end_nest(&m, data);
  end_nest(&m, info);
  long result = ask(route, &m);
  close_file(here);
  return result;
}

long make_network(const char *path, const char *bridge, const char *interface, u32 address, u32 prefix, u32 gateway) {
  if (strlen(interface) >= NAME_BYTES || prefix > 32) return -EINVAL;
  long outside = open_route();
  if (outside < 0) return outside;
  long master = *bridge == 0 ? 0 : index_of(bridge);
  if (master < 0) return master;
  long result = sys(__NR_unshare, CLONE_NEWNET);
  if (result < 0) return result;
  long file = open_file(path, O_RDONLY | O_CREAT | O_EXCL, MODE_SHARED);
  if (file < 0) return file;
  close_file(file);
  result = sys(__NR_mount, "/proc/self/ns/net", path, NULL, MS_BIND, NULL);
  if (result < 0) return result;
  result = loopback_up();
  if (result < 0 || *bridge == 0) return result;
  // Nothing here speaks it, and an address of its own would cost every container its detection of doubles.
  write_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  result = plug_in(outside, master, interface);
  if (result < 0) return result;
  long index = index_of("eth0");
  long inside = open_route();
  if (index < 0 || inside < 0) return index < 0 ? index : inside;
  result = set_address(inside, (u32)index, address, prefix);
  if (result == 0) result = set_up(inside, (u32)index);
  if (result == 0 && gateway != 0) result = set_gateway(inside, (u32)index, gateway);
  return result;
}
