export async function full(tell) {
  void tell;
}
