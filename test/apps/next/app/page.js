export default function Page() {
  return <h1>handover</h1>;
}
