/** Every backend, by its name. */
export { iptables } from "./iptables";
export { nftables } from "./nftables";
